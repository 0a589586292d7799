"""A stack of servers, an app that is the web process, and worker processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from hephaestus import Hephaestus
from hephaestus.engine import handout
from hephaestus_postgres import PostgresStorage
from processes import plumbing
from processes.plumbing import make_app
from servers.server import Server

TESTS = Path(__file__).parent.parent
SOURCES = [str(path) for path in TESTS.parent.parent.glob("*/src")]
PATIENCE = 30.0
QUICK = {"dramatiq_worker_timeout": "50", "dramatiq_restart_delay": "500"}
"""Dramatiq's own patience, in milliseconds."""


class Fleet:
    """Worker processes of one test, each in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def launch(
        self, module: str = "processes.worker", *, threads: int = 4, **environ: str
    ) -> "subprocess.Popen[bytes]":
        """Start `dramatiq` with one worker process."""
        log = (self._folder / f"worker-{len(self._running)}.log").open("wb")
        path = os.pathsep.join([str(TESTS), *SOURCES])
        process = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", module, "-p", "1", "-t", str(threads)],
            env={**os.environ, "PYTHONPATH": path, **QUICK, **environ},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._running.append(process)
        return process

    def log(self) -> str:
        """Return what all workers have said."""
        logs = sorted(self._folder.glob("worker-*.log"))
        return "\n".join(log.read_text("utf-8", "replace") for log in logs)

    @staticmethod
    def kill(process: "subprocess.Popen[bytes]") -> None:
        """End a worker and its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @staticmethod
    async def stop(process: "subprocess.Popen[bytes]") -> None:
        """Ask a worker to end, and wait until it has."""
        os.kill(process.pid, signal.SIGTERM)
        await asyncio.to_thread(process.wait, PATIENCE)

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._running:
            self.kill(process)


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the runner; leases and polls are short, so that tests are."""
    return {"lease": 2, "poll": 0.2, "grace": 1}


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a step that was sent be looked after sooner than after half a minute."""
    monkeypatch.setattr(handout, "_FIRST_DISPATCH", timedelta(seconds=2))
    monkeypatch.setenv("FIRST_DISPATCH", "2")


@pytest.fixture
async def settings(
    stack: tuple[str, str],
    options: dict[str, Any],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Return the environment of this test's processes."""
    storage, broker = stack
    settings = {
        "STORAGE": request.getfixturevalue(f"{storage}_url"),
        "BROKER": _url_of(request, broker),
        "NAMESPACE": f"test-{uuid4().hex}",
        "QUEUE": f"test_{uuid4().hex}",
        "MARKS": str(tmp_path / "marks"),
    }
    settings["OPTIONS"] = json.dumps(
        {**options, "orchestration_queue": f"{settings['QUEUE']}.orchestration"}
    )
    if storage == "postgres":
        settings["SCHEMA"] = request.getfixturevalue("postgres_schema")
        engine = create_async_engine(settings["STORAGE"])
        await PostgresStorage(engine, schema=settings["SCHEMA"]).migrate()
        await engine.dispose()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


def _url_of(request: pytest.FixtureRequest, broker: str) -> str:
    """Return the URL of a broker, of this test's own where it may be stopped."""
    if broker.startswith("own"):
        server: Server = request.getfixturevalue(f"{broker}_server")
        return server.url
    url: str = request.getfixturevalue(f"{broker}_url")
    return url


@pytest.fixture
def fleet(tmp_path: Path, settings: dict[str, str]) -> Iterator[Fleet]:
    """Return what starts workers, and ends them after the test."""
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.close()
    sys.stdout.write(fleet.log())


@pytest.fixture
async def web(settings: dict[str, str]) -> AsyncIterator[Hephaestus]:
    """Return the app of the web process, open."""
    app = make_app(settings)
    async with app:
        yield app
    app.runner.broker.close()  # type: ignore[attr-defined]  # it is a DramatiqRunner


@pytest.fixture
def open_gate(tmp_path: Path) -> Callable[[str], None]:
    """Return what opens a gate for which steps wait."""
    return lambda gate: (tmp_path / gate).touch()


async def marked(step: str, times: int = 1) -> list[dict[str, Any]]:
    """Return the marks of a step, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [mark for mark in plumbing.marks() if mark["step"] == step]
            if len(found) >= times:
                return found
            await asyncio.sleep(0.01)


async def said(fleet: Fleet, text: str) -> None:
    """Return once a worker has said that."""
    async with asyncio.timeout(PATIENCE):
        while text not in fleet.log():  # noqa: ASYNC110  # another process tells when
            await asyncio.sleep(0.02)
