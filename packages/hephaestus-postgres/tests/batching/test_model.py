"""Whatever callers, flights and the database do, the batcher does as a simple model says."""

import asyncio
from collections.abc import Iterator, Sequence

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus_postgres.batcher import Batcher

MOST = 256
LARGEST = 4 * 1024 * 1024

Member = tuple[int, str, int, str]
"""A number, a place, a size, and what becomes of it."""

FATES = st.sampled_from(["arrives", "arrives", "arrives", "is left", "is refused", "fails"])
SIZES = st.sampled_from([1, 1000, LARGEST // 3, LARGEST // 2, LARGEST + 1])
MEMBERS = st.lists(st.tuples(st.sampled_from("abcdef"), SIZES, FATES, st.booleans()), max_size=30)
WAVES = st.lists(MEMBERS, min_size=1, max_size=5)


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


@settings(max_examples=200, deadline=None)
@given(WAVES)
async def test_what_is_sent_is_what_the_model_sends(
    waves: list[list[tuple[str, int, str, bool]]],
) -> None:
    sent: list[list[Member]] = []
    alone: list[Member] = []
    landing = asyncio.Semaphore(0)

    async def fly(members: Sequence[Member]) -> list[str | Exception | None]:
        sent.append(list(members))
        await landing.acquire()
        if any(fate == "is refused" for *_, fate in members):
            raise asyncpg.DataError("one of the values")
        answers = {"arrives": "arrived", "is left": None, "fails": KeyError("alone")}
        return [answers[fate] for *_, fate in members]

    async def go_alone(member: Member) -> str:
        alone.append(member)
        if member[3] == "is refused":
            raise ValueError("it is this one")
        return "arrived alone"

    batcher: Batcher[Member, str] = Batcher(
        fly, go_alone, size=lambda member: member[2], place=lambda member: member[1]
    )
    numbers = iter(range(1000))
    tasks: dict[Member, asyncio.Task[str]] = {}
    expected: list[list[Member]] = []
    stays: list[Member] = []
    for wave in waves:
        members = [((next(numbers), place, size, fate), gone) for place, size, fate, gone in wave]
        under_way = asyncio.create_task(
            batcher.send(start := (next(numbers), "start", 1, "arrives"))
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks |= {member: asyncio.create_task(batcher.send(member)) for member, _ in members}
        await asyncio.sleep(0)
        for member, gone in members:
            if gone:
                tasks[member].cancel()
        await asyncio.sleep(0)
        staying = [member for member, gone in members if not gone]
        stays += staying
        expected.append([start])
        for flight in flights_of(staying):
            expected += attempts_at(flight)
        for _ in range(len(expected)):
            landing.release()
        await under_way
        await batcher.idle()
        while not landing.locked():
            await landing.acquire()

    assert expected == sent
    results = await asyncio.gather(*(tasks[one] for one in stays), return_exceptions=True)
    outcomes = {
        "arrives": "arrived",
        "is left": "arrived alone",
        "is refused": "ValueError",
        "fails": "KeyError",
    }
    assert [outcomes[fate] for *_, fate in stays] == [
        result if isinstance(result, str) else type(result).__name__ for result in results
    ]
    assert {one for one in stays if one[3] in ("is left", "is refused")} == set(alone)
