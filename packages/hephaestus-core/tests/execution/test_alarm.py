"""The alarm rings regularly, and precisely at what was noted in between."""

import asyncio
from datetime import UTC, datetime, timedelta

from hephaestus.clock import SystemClock
from hephaestus.execution.alarm import Alarm

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Leaping(SystemClock):
    """A clock on which every pause is over at once, unless an earlier time is noted."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        if sooner is None or not sooner.is_set():
            self.time += timedelta(seconds=seconds)
        return self.time


class Standing(Leaping):
    """A clock that stands still: only what is noted ends a pause."""

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        assert sooner is not None
        await sooner.wait()
        return self.time


async def rings(alarm: Alarm, clock: Leaping, count: int) -> list[float]:
    """Return at which seconds the alarm rings next."""
    seconds = []
    for _ in range(count):
        await alarm.ring()
        seconds.append((clock.time - START).total_seconds())
    return seconds


async def test_it_rings_at_once_and_then_regularly() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)

    times = await rings(alarm, clock, 4)

    assert [0, 1, 2, 3] == times


async def test_it_rings_at_a_noted_time_as_well() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()

    alarm.note(START + SECOND * 0.3)
    alarm.note(START + SECOND * 0.7)
    times = await rings(alarm, clock, 4)

    assert [0.3, 0.7, 1, 2] == times


async def test_a_time_noted_before_the_first_ring_is_not_missed() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)

    alarm.note(START + SECOND * 0.3)
    times = await rings(alarm, clock, 3)

    assert [0, 0.3, 1] == times


async def test_a_time_soon_after_the_next_regular_look_is_not_missed() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()
    clock.time += SECOND * 0.5

    alarm.note(START + SECOND * 1.2)
    times = await rings(alarm, clock, 3)

    assert [1, 1.2, 2] == times


async def test_a_time_far_ahead_is_left_to_the_regular_look() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()

    alarm.note(START + SECOND * 2.5)
    alarm.note(None)
    times = await rings(alarm, clock, 3)

    assert [1, 2, 3] == times


async def test_times_that_have_passed_ring_once() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()
    for tenth in range(1, 6):
        alarm.note(START + SECOND * tenth / 10)
    clock.time += SECOND * 0.5

    times = await rings(alarm, clock, 2)

    assert [0.5, 1] == times


async def test_a_look_that_took_long_does_not_make_the_next_ones_catch_up() -> None:
    clock = Leaping()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()
    clock.time += SECOND * 3.5

    times = await rings(alarm, clock, 3)

    assert [3.5, 4.5, 5.5] == times


async def test_an_earlier_time_wakes_the_one_who_waits() -> None:
    clock = Standing()
    alarm = Alarm(clock, SECOND)
    await alarm.ring()

    ringing = asyncio.create_task(alarm.ring())
    await asyncio.sleep(0)
    waited = not ringing.done()
    alarm.now()
    async with asyncio.timeout(5):
        await ringing

    assert waited
