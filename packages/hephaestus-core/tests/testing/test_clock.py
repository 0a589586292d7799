import asyncio
import hashlib
import threading
from datetime import UTC, datetime, timedelta

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.testing import VirtualClock

START = datetime(2030, 1, 1, tzinfo=UTC)


DAY = timedelta(days=1)


def toil() -> None:
    """Take some time of a thread."""
    hashlib.pbkdf2_hmac("sha256", b"", b"", 50_000)


async def test_it_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(START)

    before = clock.now()
    await clock.advance(timedelta(hours=5))

    assert START == before
    assert START + timedelta(hours=5) == clock.now()


async def test_sleepers_wake_in_the_order_of_their_deadlines_each_at_its_own_time() -> None:
    clock = VirtualClock(START)
    woken = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, (clock.now() - START).total_seconds()))

    async with asyncio.TaskGroup() as sleepers:
        for seconds in (30, 1, 60, 0.5):
            sleepers.create_task(sleeper(seconds))
        await asyncio.sleep(0)
        await clock.advance(timedelta(minutes=1))

    assert [(0.5, 0.5), (1, 1), (30, 30), (60, 60)] == woken


async def test_a_sleeper_that_sleeps_again_wakes_as_often_as_it_should() -> None:
    clock = VirtualClock(START)
    times = []

    async def beat() -> None:
        while True:
            await clock.sleep(10)
            times.append((clock.now() - START).total_seconds())

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await clock.advance(35)
    beating.cancel()

    assert [10, 20, 30] == times


async def test_sleeping_for_no_time_needs_no_move() -> None:
    clock = VirtualClock(START)

    await clock.sleep(0)
    await clock.sleep(-1)

    assert START == clock.now()


async def test_a_sleeper_that_was_cancelled_does_not_stop_the_clock() -> None:
    clock = VirtualClock(START)
    sleeper = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)

    sleeper.cancel()
    await clock.advance(10)

    assert sleeper.cancelled()
    assert START + timedelta(seconds=10) == clock.now()


async def test_a_pause_ends_before_a_jump_and_tells_where_it_goes() -> None:
    clock = VirtualClock(START)
    ended: list[tuple[datetime, datetime]] = []

    async def look() -> None:
        while True:
            reached = await clock.pause(1)
            ended.append((clock.now(), reached))

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    await clock.advance(DAY)
    looking.cancel()

    assert [(START, START + DAY), (START + DAY, START + DAY)] == ended


async def test_a_pause_ends_when_something_comes_sooner() -> None:
    clock, sooner = VirtualClock(START), asyncio.Event()
    pausing = asyncio.create_task(clock.pause(1, sooner))
    await asyncio.sleep(0)

    sooner.set()

    assert START == await pausing


async def test_work_in_a_thread_ends_before_the_clock_moves() -> None:
    clock, seen = VirtualClock(START), []

    def look() -> None:
        toil()
        seen.append(clock.now())

    working = asyncio.create_task(asyncio.to_thread(look))
    clock.attend(working)
    await clock.advance(DAY)

    assert [START] == seen


async def test_work_that_waits_for_the_test_does_not_hold_the_clock() -> None:
    clock, gate = VirtualClock(START, patience=0), asyncio.Event()
    working = asyncio.create_task(gate.wait())
    clock.attend(working)

    await clock.advance(DAY)
    gate.set()

    assert START + DAY == clock.now()
    assert await working


async def test_two_moves_at_once_add_up() -> None:
    clock = VirtualClock(START)

    await asyncio.gather(clock.advance(DAY), clock.advance(DAY))

    assert START + 2 * DAY == clock.now()


async def test_sleepers_on_other_event_loops_wake_too() -> None:
    clock, asleep = VirtualClock(START), threading.Event()

    async def sleep() -> datetime:
        asyncio.get_running_loop().call_soon(asleep.set)
        await clock.sleep(60)
        return clock.now()

    elsewhere = asyncio.create_task(asyncio.to_thread(asyncio.run, sleep()))
    await asyncio.to_thread(asleep.wait)
    await clock.advance(60)

    assert START + timedelta(minutes=1) == await elsewhere


async def test_it_does_not_go_backwards() -> None:
    clock = VirtualClock(START)

    with pytest.raises(InvalidArgument, match="by must not be negative"):
        await clock.advance(-1)


def test_its_start_has_a_time_zone() -> None:
    with pytest.raises(InvalidArgument, match="time zone"):
        VirtualClock(datetime(2030, 1, 1))  # noqa: DTZ001  # that is what it refuses
