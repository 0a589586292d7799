"""Where a runner meets the end of its app, of its loop, or of what it was told."""

import asyncio
import types
from typing import Any

import pytest

from hephaestus import (
    Done,
    Hephaestus,
    InvalidArgument,
    MemoryStorage,
    Retry,
    StepContext,
    WaitForEvent,
    Workflow,
    registry,
    running,
    step,
)
from hephaestus.storage import Change
from hephaestus.testing import VirtualClock

begun = asyncio.Event()
SOON = 5
"""Seconds that no test takes unless it fails."""


@step(retry=Retry(1))
async def linger(ctx: StepContext) -> None:
    begun.set()
    await asyncio.Event().wait()


@step
async def quick(ctx: StepContext) -> None: ...


asked = WaitForEvent("asked")


class Linger(Workflow, unique="edgelinger"):
    start_step = linger
    transitions = {linger: {"done": Done}}


class Quick(Workflow, unique="edgequick"):
    start_step = quick
    transitions = {quick: {"done": Done}}


class Pinned(Workflow, unique="edgepinned", app="edge-owner"):
    start_step = asked
    transitions = {asked: {"received": quick}, quick: {"done": Done}}


def of_version_one(steps: dict[Any, Any], start: Any) -> type[Workflow]:
    """Define the workflow anew, as a deploy that forgot to give it another version."""
    names = {"__module__": __name__, "__qualname__": "Changed"}
    body = {"start_step": start, "transitions": steps, **names}
    declared = {"unique": "edgechanged"}
    return types.new_class("Changed", (Workflow,), declared, lambda space: space.update(body))


class SlowStorage(MemoryStorage):
    """Holds back every create until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.creating = asyncio.Event()
        self.go_on = asyncio.Event()

    async def create(self, change: Change, *, session: object = None) -> None:
        await super().create(change, session=session)
        self.creating.set()
        await self.go_on.wait()


def test_the_end_of_the_event_loop_is_no_failure_of_the_step() -> None:
    begun.clear()
    storage = MemoryStorage()

    app = Hephaestus(storage)

    async def leave_it_open() -> str:
        await app.open()
        run = await Linger.start("1")
        await begun.wait()
        return run.run_id

    try:
        run_id = asyncio.run(leave_it_open())
    finally:
        running.unregister(app)

    instance = asyncio.run(storage.get(run_id))
    assert "running" == instance.status
    assert () == instance.execution_history


async def test_a_start_that_overlaps_the_close_leaves_its_step_to_the_next_app() -> None:
    storage = SlowStorage()
    app = Hephaestus(storage)
    await app.open()
    starting = asyncio.ensure_future(Quick.start("1"))
    await storage.creating.wait()
    closing = asyncio.ensure_future(app.close())
    await asyncio.sleep(0)
    storage.go_on.set()
    run = await starting
    await closing

    async with Hephaestus(storage) as other:
        instance = await other.wait(run.run_id, SOON)

    assert "completed" == instance.status
    assert ["completed", "completed"] == [e.action for e in instance.execution_history]


async def test_a_start_that_is_interrupted_costs_no_attempt() -> None:
    storage = SlowStorage()
    clock = VirtualClock()
    async with Hephaestus(storage, clock=clock) as app:
        starting = asyncio.ensure_future(Quick.start("2"))
        await storage.creating.wait()
        starting.cancel()
        await asyncio.wait([starting])

        await clock.advance(10)

        instance = await app.wait("edgequick::2", SOON)
    assert "completed" == instance.status
    assert "lost" not in [e.action for e in instance.execution_history]


async def test_an_app_that_is_told_of_a_run_pinned_to_another_does_not_execute_it() -> None:
    storage, clock = MemoryStorage(), VirtualClock()
    async with Hephaestus(storage, name="edge-owner", clock=clock):
        run = await Pinned.start("1")
        await run.wait(until="waiting")

    async with Hephaestus(storage, name="edge-other", clock=clock) as other:
        await other.resume(run.run_id, "asked")
        await clock.advance(1)
        left = await other.get(run.run_id)
    async with Hephaestus(storage, name="edge-owner", clock=clock) as owner:
        ended = await owner.wait(run.run_id, SOON)

    assert 0 == left.active["quick"].dispatches
    assert "completed" == ended.status


async def test_a_run_whose_step_is_gone_can_be_cancelled() -> None:
    of_version_one({asked: {"received": Done}}, asked)
    async with Hephaestus() as app:
        changed = registry.find(f"{__name__}.Changed")
        run = await changed.start("1")
        await run.wait(until="waiting")
        of_version_one({quick: {"done": Done}}, quick)

        await app.cancel(run.run_id)

        assert "cancelled" == (await run.get()).status


async def test_a_failed_run_whose_step_is_gone_says_so_when_it_is_retried() -> None:
    @step(retry=Retry(1))
    async def stumble(ctx: StepContext) -> None:
        raise ValueError

    of_version_one({stumble: {"done": Done}}, stumble)
    async with Hephaestus():
        run = await registry.find(f"{__name__}.Changed").start("2")
        await run.wait()
        of_version_one({quick: {"done": Done}}, quick)

        with pytest.raises(InvalidArgument, match="give a changed definition a new version="):
            await run.retry()


async def test_a_definition_that_leads_nowhere_any_more_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = WaitForEvent("other")
    of_version_one({asked: {"received": quick}, quick: {"done": Done}}, asked)
    clock = VirtualClock()
    async with Hephaestus(clock=clock):
        run = await registry.find(f"{__name__}.Changed").start("3")
        await run.wait(until="waiting")
        joined = {other: {"received": [asked, linger]}, asked: {"received": quick}}
        of_version_one({**joined, linger: {"done": quick}, quick: {"done": Done}}, other)

        await run.resume("asked")
        await clock.advance(1)

        assert "stands nowhere" in caplog.text
        assert {"asked"} == (await run.get()).waiting_steps
