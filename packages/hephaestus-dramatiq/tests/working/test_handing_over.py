"""A worker that stops, beside one that would not look for due runs for long."""

import asyncio

from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually, hanging_once
from hephaestus.testing.runner.workflows import Errand, Order
from stacks.runners import WorkingRunner
from working.conftest import Bench

AT_ONCE = PATIENCE / 5


async def test_what_is_given_back_is_told_to_the_others(bench: Bench, stage: Stage) -> None:
    stage.direct("run_errand", hanging_once(stage, "run_errand"))
    old = await bench.open(grace=0, lease=3600)
    errand = await old.start_instance(Errand, stage.initial(), id="errand::1")
    await stage.reached("run_errand hangs")
    new = await bench.open(poll=3600)

    await old.close()
    instance = await new.wait(errand.run_id, AT_ONCE)

    assert {"attempt": 1} == instance.result
    assert "hephaestus.advance" in bench.spy.actors()


async def test_a_worker_that_stops_goes_on_with_no_run(bench: Bench, stage: Stage) -> None:
    stage.direct("validate", lambda _: stage.reached("go"))
    old = await bench.open()
    order = await old.start_instance(Order, stage.initial(), id="order::1")
    await stage.reached("validate")
    assert isinstance(old.runner, WorkingRunner)
    work = old.runner.works[-1]
    new = await bench.open()

    async def is_closing() -> bool:
        return work.is_closing

    closing = asyncio.create_task(old.close())
    await eventually(is_closing)
    stage.mark("go")
    await closing
    await new.wait(order.run_id, PATIENCE)

    assert ["validate", "charge"] == [m.kwargs["step"] for m in bench.spy.sent[:2]]
