import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hephaestus import (
    Done,
    Hephaestus,
    MemoryStorage,
    Retry,
    Wait,
    WaitForEvent,
    Workflow,
    engine,
    step,
)
from hephaestus.instance import Instance
from hephaestus.storage import Change, Lease, Owner
from hephaestus.testing import VirtualClock

START = datetime(2030, 1, 1, tzinfo=UTC)


DAY = timedelta(days=1)


first = Wait(DAY, key="first")


second = Wait(DAY, key="second")


paid = WaitForEvent("paid", timeout=timedelta(days=3))


@step
async def work(ctx: Any) -> None:
    return None


def toil() -> None:
    """Take some time of a thread."""
    hashlib.pbkdf2_hmac("sha256", b"", b"", 50_000)


@step
def plain_work(ctx: Any) -> None:
    toil()


@step(retry=Retry(max_attempts=3, initial_delay=10, backoff="constant", jitter=0))
async def flaky(ctx: Any) -> None:
    if ctx.attempt < 3:
        raise ConnectionError("down")


class Gate:
    """What a step waits at until the test opens it."""

    entered = asyncio.Event()
    opened = asyncio.Event()

    @classmethod
    def close(cls) -> None:
        cls.entered, cls.opened = asyncio.Event(), asyncio.Event()


@step
async def slow(ctx: Any) -> None:
    Gate.entered.set()
    await Gate.opened.wait()


class Chained(Workflow, unique="chained"):
    start_step = first
    transitions = {
        first: {"timeout": work},
        work: {"done": second},
        second: {"timeout": Done},
    }


class ChainedThroughThread(Workflow, unique="threaded"):
    start_step = first
    transitions = {
        first: {"timeout": plain_work},
        plain_work: {"done": second},
        second: {"timeout": Done},
    }


class Payment(Workflow, unique="payment"):
    start_step = work
    transitions = {work: {"done": paid}, paid: {"received": Done, "timeout": Done}}


class Retried(Workflow, unique="retried"):
    start_step = flaky
    transitions = {flaky: {"done": Done}}


class Slow(Workflow, unique="slow"):
    start_step = slow
    transitions = {slow: {"done": Done}}


class CountingStorage(MemoryStorage):
    """Counts how often it is asked what is due."""

    looks = 0

    async def due(self, *args: Any, **kwargs: Any) -> list[str]:
        self.looks += 1
        return await super().due(*args, **kwargs)


def ends(instance: Instance) -> dict[str | None, timedelta]:
    """Return when each step completed, from the start on."""
    completed = [e for e in instance.execution_history if e.action == "completed"]
    return {entry.step: entry.timestamp - START for entry in completed}


async def test_a_timer_of_three_days_fires_when_three_days_were_skipped() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await Payment.start("1", {})
        await run.wait(until="waiting")
        await clock.advance(timedelta(days=3))
        instance = await run.wait(timeout=1)

    assert {"work": timedelta(), "paid": 3 * DAY, "done": 3 * DAY} == ends(instance)


async def test_a_timer_does_not_fire_early() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await Payment.start("1", {})
        await clock.advance(3 * DAY - timedelta(microseconds=1))
        instance = await run.get()

    assert "waiting" == instance.status


async def test_steps_that_were_started_end_before_the_clock_moves() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await Payment.start("1", {})
        await clock.advance(3 * DAY)
        instance = await run.get()

    assert "completed" == instance.status


@pytest.mark.parametrize("workflow", [Chained, ChainedThroughThread])
async def test_timers_that_follow_each_other_all_fire_on_time(workflow: type[Workflow]) -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await workflow.start("1", {})
        await clock.advance(3 * DAY)
        instance = await run.get()

    assert "completed" == instance.status
    assert [DAY, DAY, 2 * DAY, 2 * DAY] == list(ends(instance).values())


async def test_the_clock_stops_at_the_timers_of_every_run() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        early = await Chained.start("1", {})
        await clock.advance(timedelta(hours=7))
        late = await Chained.start("2", {})
        await clock.advance(3 * DAY)
        instances = [await early.get(), await late.get()]

    assert [2 * DAY, 2 * DAY + timedelta(hours=7)] == [ends(i)["second"] for i in instances]


async def test_a_timer_shortly_after_a_regular_look_is_not_missed() -> None:
    clock = VirtualClock(START)
    soon = Wait(1.5)

    class Soon(Workflow, unique="soon"):
        start_step = soon
        transitions = {soon: {"timeout": Done}}

    async with Hephaestus(clock=clock):
        run = await Soon.start("1", {})
        await clock.advance(1.2)
        await clock.advance(0.4)
        instance = await run.get()

    assert timedelta(seconds=1.5) == ends(instance)["wait"]


async def test_retries_take_virtual_time() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await Retried.start("1", {})
        await clock.advance(timedelta(minutes=1))
        instance = await run.get()

    assert timedelta(seconds=20) == ends(instance)["flaky"]


async def test_an_event_in_time_wins_against_the_timer() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock):
        run = await Payment.start("1", {})
        await clock.advance(2 * DAY)
        await run.resume("paid", {"receipt": "r-1"})
        await clock.advance(2 * DAY)
        instance = await run.get()

    assert {"receipt": "r-1"} == instance.result


async def test_three_days_are_not_a_quarter_of_a_million_polls() -> None:
    clock, storage = VirtualClock(START), CountingStorage()

    async with Hephaestus(storage, clock=clock):
        run = await Payment.start("1", {})
        await run.wait(until="waiting")
        await clock.advance(3 * DAY)

    assert storage.looks < 20


async def test_a_step_that_is_executing_keeps_its_lease_through_the_jump() -> None:
    clock = VirtualClock(START, patience=0)
    Gate.close()

    async with Hephaestus(clock=clock):
        run = await Slow.start("1", {})
        await Gate.entered.wait()
        await clock.advance(3 * DAY)
        Gate.opened.set()
        instance = await run.wait(timeout=1)

    assert ["completed", "completed"] == [e.action for e in instance.execution_history]
    assert 1 == instance.execution_history[0].attempt


async def test_a_step_that_begins_on_the_way_keeps_its_lease_too() -> None:
    clock = VirtualClock(START, patience=0)
    Gate.close()

    class Later(Workflow, unique="later"):
        start_step = first
        transitions = {first: {"timeout": slow}, slow: {"done": Done}}

    async with Hephaestus(clock=clock):
        run = await Later.start("1", {})
        await clock.advance(3 * DAY)
        Gate.opened.set()
        instance = await run.wait(timeout=1)

    assert "lost" not in {entry.action for entry in instance.execution_history}


async def test_the_lease_of_a_process_that_died_ends_on_the_way() -> None:
    clock, storage = VirtualClock(START), MemoryStorage()
    await storage.create(abandoned(Payment, START))

    async with Hephaestus(storage, clock=clock) as app:
        await clock.advance(timedelta(minutes=1))
        instance = await app.get("payment::1")

    actions = [(e.step, e.action, e.attempt) for e in instance.execution_history]
    assert [("work", "lost", 1), ("work", "completed", 2)] == actions[:2]


async def test_a_thousand_timers_fire_in_one_move() -> None:
    clock = VirtualClock(START)

    async with Hephaestus(clock=clock) as app:
        for number in range(1000):
            await Payment.start(str(number), {})
        await clock.advance(3 * DAY)
        completed = await app.count(status="completed")

    assert 1000 == completed


async def test_apps_may_share_a_clock() -> None:
    clock, storage = VirtualClock(START), MemoryStorage()

    async with (
        Hephaestus(storage, clock=clock, name="a") as app,
        Hephaestus(storage, clock=clock, name="b"),
    ):
        run = await app.start_instance(Chained, {}, id="chained::1")
        await clock.advance(3 * DAY)
        instance = await run.get()

    assert 2 * DAY == ends(instance)["done"]


def abandoned(workflow: type[Workflow], now: datetime) -> Change:
    """Return a run whose first step was leased by a process that is gone."""
    new = Instance(id=f"{workflow.declared_unique().key}::1", workflow=workflow.name)
    advanced = engine.advance(new, workflow, now)
    (key,) = advanced.ready
    lease = Lease(
        run_id=new.run_id,
        step=key,
        attempt=1,
        owner=Owner(incarnation="gone"),
        until=now + timedelta(seconds=15),
    )
    instance = engine.hand_out(advanced.instance, {key: lease.until})
    return Change(instance=instance, token="t", granted=(lease,), wake_at=lease.until)
