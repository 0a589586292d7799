"""More steps than workers have time for."""

import asyncio
import math
import time
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


async def test_a_backlog_longer_than_the_deadline_does_not_multiply_messages(
    bench: Bench, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_time(_: StepContext) -> None:
        await asyncio.sleep(PAUSE)

    monkeypatch.setattr(handout, "_FIRST_DISPATCH", DISPATCH)
    stage.direct("run_errand", take_time)
    await bench.open(concurrency=1)

    began = time.monotonic()
    errands = [await Errand.start(str(number), stage.initial()) for number in range(MANY)]
    for errand in errands:
        await errand.result(PATIENCE)

    assert MANY == stage.count("run_errand")
    sent = [message.kwargs["run_id"] for message in bench.spy.sent]
    assert len(sent) > MANY, "no deadline has passed, so that nothing was tried"
    # The first message, and one after 1, 3, 7, 15 times the deadline, and so on.
    deadlines = (time.monotonic() - began) / DISPATCH.total_seconds()
    rounds = 1 + math.floor(math.log2(deadlines + 1))
    assert max(sent.count(errand.run_id) for errand in errands) <= rounds
