"""Whatever callers, flights and the database do, the batcher does as a simple model says."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus_postgres.batcher import Batcher

MOST = 256
LARGEST = 4 * 1024 * 1024

Member = tuple[int, str, int, str]
"""A number, a place, a size, and what becomes of it."""

Drawn = tuple[tuple[str, int, str], bool]
"""The same without its number, and whether its caller is cancelled before it leaves."""

FATES = st.sampled_from(["arrives", "arrives", "arrives", "is left", "is refused", "fails"])
SIZES = st.sampled_from([1, 1000, LARGEST // 3, LARGEST // 2, LARGEST + 1])
DRAWN = st.tuples(st.tuples(st.sampled_from("abcdef"), SIZES, FATES), st.booleans())
WAVES = st.lists(st.lists(DRAWN, max_size=30), min_size=1, max_size=5)


def flights_of(waiting: list[Member]) -> Iterator[list[Member]]:
    """Return the flights of those that wait: first in, first out, one of each place."""
    while waiting:
        flight: list[Member] = []
        for member in list(waiting):
            if len(flight) == MOST:
                break
            if member[1] in {other[1] for other in flight}:
                continue
            if flight and sum(other[2] for other in flight) + member[2] > LARGEST:
                break
            flight.append(member)
        waiting = [member for member in waiting if member not in flight]
        yield flight


def attempts_at(flight: list[Member]) -> Iterator[list[Member]]:
    """Return what is sent for a flight: it is halved until those that are refused are alone."""
    yield flight
    if len(flight) > 1 and any(fate == "is refused" for *_, fate in flight):
        middle = len(flight) // 2
        yield from attempts_at(flight[:middle])
        yield from attempts_at(flight[middle:])


class Air:
    """Where a flight stays until it is let land, and its members meet their fates."""

    def __init__(self) -> None:
        self.sent: list[list[Member]] = []
        self.alone: list[Member] = []
        self.landing = asyncio.Semaphore(0)

    async def fly(self, members: Sequence[Member]) -> list[str | Exception | None]:
        self.sent.append(list(members))
        await self.landing.acquire()
        if any(fate == "is refused" for *_, fate in members):
            raise asyncpg.DataError("one of the values")
        answers = {"arrives": "arrived", "is left": None, "fails": KeyError("alone")}
        return [answers[fate] for *_, fate in members]

    async def go_alone(self, member: Member) -> str:
        self.alone.append(member)
        if member[3] == "is refused":
            raise ValueError("it is this one")
        return "arrived alone"


OUTCOMES = {
    "arrives": "arrived",
    "is left": "arrived alone",
    "is refused": "ValueError",
    "fails": "KeyError",
}


@settings(max_examples=200, deadline=None)
@given(WAVES)
async def test_what_is_sent_is_what_the_model_sends(waves: list[list[Drawn]]) -> None:
    air = Air()
    batcher: Batcher[Member, str] = Batcher(
        air.fly, air.go_alone, size=lambda member: member[2], place=lambda member: member[1]
    )
    numbers = itertools.count()
    expected: list[list[Member]] = []
    stayed: list[Member] = []
    outcomes: list[str] = []
    for wave in waves:
        first: Member = (next(numbers), "first", 1, "arrives")
        members: list[Member] = [(next(numbers), *drawn) for drawn, _ in wave]
        tasks = [asyncio.create_task(batcher.send(first))]
        await _settled()
        tasks += [asyncio.create_task(batcher.send(member)) for member in members]
        await _settled()
        for task, (_, is_cancelled) in zip(tasks[1:], wave, strict=True):
            if is_cancelled:
                task.cancel()
        await _settled()
        staying = [
            one for one, (_, is_cancelled) in zip(members, wave, strict=True) if not is_cancelled
        ]
        attempts = [[first], *(sent for one in flights_of(staying) for sent in attempts_at(one))]
        for _ in attempts:
            air.landing.release()
        async with asyncio.timeout(10):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        expected += attempts
        stayed += [first, *staying]
        outcomes += [_told(result) for result in results if not _is_cancelled(result)]

    assert expected == air.sent
    assert [OUTCOMES[fate] for *_, fate in stayed] == outcomes
    assert {one for one in stayed if one[3] in ("is left", "is refused")} == set(air.alone)


async def _settled() -> None:
    """Let everybody take the steps that need no landing."""
    for _ in range(3):
        await asyncio.sleep(0)


def _told(result: str | BaseException) -> str:
    return result if isinstance(result, str) else type(result).__name__


def _is_cancelled(result: str | BaseException) -> bool:
    return isinstance(result, asyncio.CancelledError)
