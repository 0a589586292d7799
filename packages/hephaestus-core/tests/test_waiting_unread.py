"""What this process executes itself need not be read to be waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hephaestus import (
    Done,
    Halt,
    Hephaestus,
    Instance,
    InstanceFailed,
    LocalRunner,
    MemoryStorage,
    Retry,
    StepContext,
    Workflow,
    step,
)
from hephaestus.storage import Snapshot

SOON = 10.0
"""Far less than the pause before the first look."""


class Counted(MemoryStorage):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    async def get(self, id: str, *, history: bool = True, **which: Any) -> Instance:
        self.reads.append("with history" if history else "without")
        return await super().get(id, history=history, **which)

    async def load(self, run_id: str) -> Snapshot:
        self.reads.append("load")
        return await super().load(run_id)


@pytest.fixture
def storage() -> Counted:
    return Counted()


@pytest.fixture
async def app(storage: Counted) -> AsyncIterator[Hephaestus]:
    async with Hephaestus(storage, name="unread") as app:
        app.runner.watch.first_look = 3600
        yield app


@step
async def first(ctx: StepContext) -> dict[str, Any]:
    return {"list": [1]}


@step(retry=Retry(1))
async def second(ctx: StepContext) -> dict[str, Any]:
    if ctx.initial.get("broken"):
        raise ValueError("no luck")
    return {"list": [*ctx[first]["list"], 2]}


class Line(Workflow, unique="unreadline"):
    start_step = first
    transitions = {first: {"done": second}, second: {"done": Done}}


@step
async def split(ctx: StepContext) -> None:
    """Go on in two branches."""


@step
async def ask(ctx: StepContext) -> Halt:
    return Halt({}, prompt="go on?")


@step
async def hang(ctx: StepContext) -> None:
    await asyncio.sleep(3600)


@step
async def join(ctx: StepContext) -> None:
    """Come together again."""


class Fork(Workflow, unique="unreadfork"):
    start_step = split
    transitions = {
        split: {"done": [ask, hang]},
        ask: {"done": join},
        hang: {"done": join},
        join: {"done": Done},
    }


class Hang(Workflow, unique="unreadhang"):
    start_step = hang
    transitions = {hang: {"done": Done}}


async def test_a_result_costs_no_read(app: Hephaestus, storage: Counted) -> None:
    line = await Line.start("1")

    result = await line.result()

    assert ({"list": [1, 2]}, []) == (result, storage.reads)


async def test_a_wait_costs_the_read_of_the_history(app: Hephaestus, storage: Counted) -> None:
    line = await Line.start("1")

    instance = await line.wait()

    assert ["with history"] == storage.reads
    assert await storage.get(line.run_id) == instance


async def test_a_run_that_fails_says_why_without_a_read(app: Hephaestus, storage: Counted) -> None:
    line = await Line.start("1", {"broken": True})

    with pytest.raises(InstanceFailed, match="no luck"):
        await line.result()

    assert [] == storage.reads


async def test_each_has_a_result_of_its_own(app: Hephaestus) -> None:
    line = await Line.start("1")

    mine, theirs = await asyncio.gather(line.result(), line.result())
    mine["list"].append("mine")

    assert {"list": [1, 2]} == theirs == await line.result()


async def test_what_has_ended_or_is_named_otherwise_is_read(
    app: Hephaestus, storage: Counted
) -> None:
    line = await Line.start("1")
    await line.result()

    results = [await line.result(), await app.result(line.id, workflow=Line)]

    assert ([{"list": [1, 2]}] * 2, ["without"] * 2) == (results, storage.reads)


async def test_a_later_run_of_the_same_id_is_another_one(app: Hephaestus) -> None:
    earlier = await Hang.start("1")
    waiting = asyncio.create_task(app.result(earlier.id))
    await asyncio.sleep(0)
    await earlier.cancel()
    await Hang.start("1")

    with pytest.raises(InstanceFailed) as caught:
        await waiting

    assert earlier.run_id == caught.value.run_id


async def test_a_halt_of_another_branch_is_seen_at_once(app: Hephaestus) -> None:
    fork = await Fork.start("1")
    await fork.wait(until="halted")

    async with asyncio.timeout(SOON):
        halted = await fork.wait()

    assert {"ask", "hang"} == halted.active_steps
    await fork.cancel()


async def test_who_waits_for_a_running_run_has_it_at_once(app: Hephaestus) -> None:
    line = await Hang.start("1")

    async with asyncio.timeout(SOON):
        running = await line.wait(until="running")

    assert "running" == running.status
    await line.cancel()


async def test_what_happens_from_outside_is_seen_by_the_next_look(
    app: Hephaestus, storage: Counted
) -> None:
    app.runner.watch.first_look = 0.01
    line = await Hang.start("1")

    async with Hephaestus(storage, LocalRunner(), name="there") as there:
        waiting = asyncio.create_task(line.result())
        await asyncio.sleep(0)
        await there.cancel(line.run_id)
        with pytest.raises(InstanceFailed, match="cancelled"):
            await waiting

    assert "without" in storage.reads
