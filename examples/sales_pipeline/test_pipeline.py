"""The pipeline: over a file, after a crash, and with a shard that fails at first."""

import ast
import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pipeline
import pytest

from hephaestus.testing import Harness
from hephaestus_postgres import PostgresStorage

HERE = Path(__file__).parent
TOTALS = {"east": 5, "north": 27, "south": 41, "west": 37}


@pytest.fixture
def sales(tmp_path: Path) -> str:
    return str(shutil.copy(HERE / "sales.csv", tmp_path))


async def migrate(database: str) -> None:
    storage = PostgresStorage(database)
    await storage.migrate()
    await storage.open()
    await storage.close()


def test_a_day_is_reported(sales: str) -> None:
    result = asyncio.run(pipeline.main(sales, "2026-11-20"))

    assert (TOTALS, 1) == (result["totals"], result["unusable"])
    assert "north,27" in Path(result["report"]).read_text().splitlines()


async def test_a_shard_that_fails_is_tried_again(sales: str) -> None:
    shard = pipeline.shards[2]
    whole = {"totals": {}, "unusable": 0}
    harness = Harness(pipeline.Sales, replace={shard: [OSError("the disk is away"), whole]})

    run = await harness.run({"file": sales})

    assert "completed" == run.status
    assert 2 == len(harness.attempts_of(shard))


def test_a_killed_pipeline_goes_on(sales: str, database: str) -> None:
    asyncio.run(migrate(database))
    sources = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    environment = {**os.environ, "DATABASE_URL": database, "PYTHONPATH": sources}
    # The first process dies within a shard, as by kill -9.
    dying = (
        "import asyncio, os, signal, pipeline\n"
        "pipeline.Clean.execute = lambda self, ctx: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"asyncio.run(pipeline.main({sales!r}, '2026-11-20'))\n"
    )

    died = subprocess.run([sys.executable, "-c", dying], env=environment, check=False, timeout=30)
    second = subprocess.run(
        [sys.executable, str(HERE / "pipeline.py"), sales, "2026-11-20"],
        env=environment, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip

    assert -signal.SIGKILL == died.returncode
    assert 0 == second.returncode, second.stderr
    told, result = second.stdout.splitlines()
    assert told.startswith("going on with run")
    assert TOTALS == ast.literal_eval(result)["totals"]
