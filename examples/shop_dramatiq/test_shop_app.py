"""The deployment: its two commands on real servers, and what compose.yaml says."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
import pytest
import yaml

HERE = Path(__file__).parent


@pytest.fixture
def environment(database: str, rabbitmq_url: str) -> Iterator[dict[str, str]]:
    """Return what compose.yaml gives its services, with the servers of the tests."""
    queue = f"shop_{uuid4().hex}"
    sources = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    yield {
        **os.environ,
        "DATABASE_URL": database,
        "HEPHAESTUS_POSTGRES_URL": database,
        "RABBITMQ_URL": rabbitmq_url,
        "QUEUE": queue,
        "PYTHONPATH": sources,
    }
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    for name in (queue, f"{queue}.orchestration", f"{queue}.payments"):
        for kind in (name, f"{name}.DQ", f"{name}.XQ"):
            connection.channel().queue_delete(kind)
    connection.close()


def run(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command of compose.yaml says."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=HERE, env=environment, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_workers_finish_what_is_sent(environment: dict[str, str]) -> None:
    run(["-m", "hephaestus_postgres", "migrate"], environment)
    worker = subprocess.Popen(
        [sys.executable, "-m", "dramatiq", "shop_app", "--processes", "1", "--threads", "4"],
        cwd=HERE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        told = run(["send.py", "5"], environment)
    finally:
        worker.terminate()
        worker.wait()

    assert "5 orders, 4 boxes\n" == told


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / "compose.yaml").read_text("utf-8")))


def test_compose_gives_every_variable_that_the_programs_need(compose: dict[str, Any]) -> None:
    needed = {"DATABASE_URL", "RABBITMQ_URL", "HEPHAESTUS_POSTGRES_URL"}

    for name in ("migrate", "worker", "send"):
        assert needed <= set(compose["services"][name]["environment"]), name


def test_compose_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]

    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    assert {"migrate", "rabbitmq"} == set(services["worker"]["depends_on"])
    assert "healthcheck" in services["rabbitmq"]


def test_compose_lets_a_worker_end_its_steps(compose: dict[str, Any]) -> None:
    grace = compose["services"]["worker"]["stop_grace_period"]

    assert int(grace.removesuffix("s")) > 10
