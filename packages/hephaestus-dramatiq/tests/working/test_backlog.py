"""More steps than workers have time for."""

import asyncio
from datetime import timedelta

import pytest

from hephaestus.engine import handout
from hephaestus.steps import StepContext
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Errand
from working.conftest import Bench

MANY = 40
DISPATCH = timedelta(seconds=0.1)
PAUSE = 0.03
ROUNDS = 5
"""The first message, and one after 0.1, 0.3, 0.7 and 1.5 seconds; the whole takes 1.2 and more."""


async def test_a_backlog_longer_than_the_deadline_does_not_multiply_messages(
    bench: Bench, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_time(_: StepContext) -> None:
        await asyncio.sleep(PAUSE)

    monkeypatch.setattr(handout, "_FIRST_DISPATCH", DISPATCH)
    stage.direct("run_errand", take_time)
    await bench.open(concurrency=1)

    errands = [await Errand.start(str(number), stage.initial()) for number in range(MANY)]
    for errand in errands:
        await errand.result(PATIENCE)

    assert MANY == stage.count("run_errand")
    sent = [message.kwargs["run_id"] for message in bench.spy.sent]
    assert len(sent) > MANY, "no deadline has passed, so that nothing was tried"
    assert max(sent.count(errand.run_id) for errand in errands) <= ROUNDS
