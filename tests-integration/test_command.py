"""The command `hephaestus` on a database: from an empty schema to an empty one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hephaestus
import hephaestus_postgres
from hephaestus import Context, Hephaestus, Instance, running
from hephaestus.blocking import BlockingHephaestus
from hephaestus_postgres import PostgresStorage

PATIENCE = 20
"""Seconds that nothing takes unless it fails."""

SHOP = """
import os
from hephaestus import Done, Hephaestus, LocalRunner, WaitForEvent, Workflow, step
from hephaestus_postgres import PostgresStorage

@step
async def charge(ctx):
    return {"charged": ctx.initial["cents"]}

paid = WaitForEvent("paid")

class Order(Workflow, unique="orderid", name="shop.Order"):
    start_step = charge
    transitions = {charge: {"done": paid}, paid: {"received": Done}}

def make():
    storage = PostgresStorage(os.environ["SHOP_URL"], schema=os.environ["SHOP_SCHEMA"])
    return Hephaestus(storage, LocalRunner(poll=0.05, lease=2), name="shop")
"""
LATER = SHOP.replace('"paid"', '"settled"')
"""What the code becomes: the step that the run waits at has another key."""


@pytest.fixture(name="environment")
def _environment(postgres_url: str, postgres_schema: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "shop.py").write_text(SHOP, "utf-8")
    (tmp_path / "later.py").write_text(LATER, "utf-8")
    sources = [str(Path(str(m.__file__)).parents[1]) for m in (hephaestus, hephaestus_postgres)]
    return os.environ | {
        "SHOP_URL": postgres_url,
        "SHOP_SCHEMA": postgres_schema,
        "HEPHAESTUS_APP": "shop:make",
        "PYTHONPATH": os.pathsep.join(sources),
    }


class Shell:
    """Where the command is typed."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def __call__(self, line: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(line, *more), env=self._environment, cwd=self._folder,
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    def json(self, line: str) -> Any:
        said = self(f"{line} --json")
        assert "" == said.stderr
        return json.loads(said.stdout)

    def begin(self, line: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._words(line), env=self._environment, cwd=self._folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _words(self, line: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "hephaestus.cli", *line.split(), *more]


@pytest.fixture(name="shell")
def _shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    return Shell(environment, tmp_path)


@pytest.fixture(name="door")
def _door(postgres_url: str, postgres_schema: str) -> Iterator[BlockingHephaestus]:
    """Give an app that looks at the same database, and knows no workflow of the shop."""

    def make() -> Hephaestus:
        return Hephaestus(PostgresStorage(postgres_url, schema=postgres_schema))

    door = BlockingHephaestus(make, timeout=PATIENCE)
    yield door
    door.close()


async def put(instance: Instance) -> None:
    """Lay a run into the storage of the app that is meant here."""
    app = running.current()
    assert isinstance(app, Hephaestus)
    await app.storage.put(instance)


@pytest.mark.timeout(180)  # a dozen processes, one after the other
def test_a_schema_a_worker_a_run_and_their_end(shell: Shell, door: BlockingHephaestus) -> None:
    refused = shell("list")
    assert (1, 1) == (refused.returncode, refused.stderr.count("\n"))
    assert "hephaestus_postgres migrate" in refused.stderr

    assert {"storage": "PostgresStorage", "migrated": True, "to": None} == shell.json("migrate")
    assert [] == shell.json("list")

    order = Instance(
        id="orderid::1", workflow="shop.Order", context=Context(initial={"cents": 490})
    )
    door.run(put(order))
    worker = shell.begin("run")
    try:
        door.wait(order.run_id, PATIENCE, until="waiting")
        assert "0 problems" in shell("check").stdout
        later = shell("check --app later:make")
        assert (1, True) == (later.returncode, "has no step 'paid': 1 run" in later.stdout)

        shown = shell("show orderid::1").stdout
        assert "step 'paid' waits for an event" in shown
        assert 0 == shell("resume orderid::1 paid --payload", '{"receipt": "r-1"}').returncode
        assert {"receipt": "r-1"} == door.result(order.run_id, PATIENCE)
    finally:
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=PATIENCE)

    assert (0, "stopped") == (worker.returncode, out.splitlines()[-1]), err
    door.close()
    assert {"pruned": 1} == shell.json("prune --older-than 0s")
    assert 0 == shell.json("migrate --to 0 --yes")["to"]
    assert 1 == shell("list").returncode
