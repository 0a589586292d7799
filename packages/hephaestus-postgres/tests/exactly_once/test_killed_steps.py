"""Wherever its process dies, the effect of a transactional step and its outcome are there once."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from exactly_once.booking import app_on
from hephaestus.testing.runner.ahead import LONG, AheadClock

TESTS = Path(__file__).parent.parent
POINTS = {
    "before the body": 2,
    "inside the body": 2,
    "before the flush": 2,
    "after the flush": 2,
    "after the load": 2,
    "after the statement": 2,
    "before COMMIT": 2,
    "after COMMIT": 1,
}
"""Where the process dies, and the attempt that is then the one with the effect."""


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_step_has_its_effect_once(
    engine: AsyncEngine, effects: str, postgres_url: str, postgres_schema: str, point: str
) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exactly_once.worker",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]),
            "URL": postgres_url,
            "SCHEMA": postgres_schema,
            "TABLE": effects,
            "DIES": point,
        },
    )  # fmt: skip
    died = await worker.wait()

    async with app_on(engine, postgres_schema, AheadClock(LONG)) as app:
        (run,) = await app.query()
        instance = await app.wait(run.run_id, 20)

    async with engine.connect() as connection:
        keys = (await connection.execute(text(f"SELECT key FROM {effects}"))).scalars().all()
    completed = [e.step for e in instance.execution_history if e.action == "completed"]
    assert 9 == died
    assert [f"{run.run_id}/book"] == keys
    assert {"attempt": POINTS[point]} == instance.context.steps["book"]
    assert ["book", "confirm", "done"] == completed
