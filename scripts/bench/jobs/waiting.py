"""Many runs that wait for an event: what they cost a worker, and how fast it answers."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bench import machine
from bench.actor import acting
from bench.contract import Aim, Contender, Figures, Job, Setting
from bench.drive import P99, percentiles
from bench.marks import tell

PER_SECOND = 500
ALONE = "MB, nobody waits"
MEGABYTES = "MB, all wait"
GROWTH = "MB for MB"
IDLE = "idle, ms of CPU per s"
DUE = "a look for what is due, ms"
SENT = "events accepted/s"
LONGEST = "longest, ms"

_STARTERS = 100
_REST = 3.0
_LOOKS = 5
_EVENTS = 5.0
"""Seconds of events, or until one in ten runs has had one."""

_PATIENCE = 180.0
"""Seconds for the last of them: a peer that missed a notification looks again after a minute."""

_STRIDE = 7_919
"""A prime: events go to runs all over the table."""


class Crew(Protocol):
    """A worker of runs that wait for an event, and then take one step more."""

    async def start(self, number: int) -> None:
        """Start a run; on return it waits, or soon will."""
        ...

    async def wait(self, count: int) -> None:
        """Return when so many runs wait."""
        ...

    async def send(self, number: int) -> None:
        """Send a run its event."""
        ...

    def listen(self, heard: Callable[[int], None]) -> None:
        """Call a function with the number of each run whose next step begins."""
        ...

    async def due(self) -> None:
        """Look for what is due, if there is such a thing."""
        ...


async def seed(crew: Crew, setting: Setting) -> None:
    """Start all runs, and end when they wait."""
    numbers = iter(range(int(setting.size)))

    async def start() -> None:
        for number in numbers:
            await crew.start(number)

    await asyncio.gather(*(start() for _ in range(_STARTERS)))
    await crew.wait(int(setting.size))


async def rest(crew: Crew, _: Setting) -> None:
    """Do nothing, and tell how much memory that takes."""
    await crew.due()
    await asyncio.sleep(1)
    tell({ALONE: machine.megabytes()})


async def work(crew: Crew, setting: Setting) -> None:
    """Do nothing for a while, then answer events, and tell what that took."""
    await crew.wait(int(setting.size))
    looks = [await _timed(crew) for _ in range(_LOOKS)]
    cpu = time.process_time()
    await asyncio.sleep(_REST)
    cpu = time.process_time() - cpu
    found = {
        MEGABYTES: machine.megabytes(),
        IDLE: cpu / _REST * 1e3,
        DUE: sorted(looks)[_LOOKS // 2],
    }
    tell({**found, **await _events(crew, int(setting.size))})


async def waiting(contender: Contender, setting: Setting) -> Figures:
    """Measure a worker that finds nothing, fill the storage, and measure another one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with acting(contender, setting, "rest", folder) as first:
            figures = first.next()
            first.end()
        with acting(contender, setting, "seed", folder) as second:
            second.end(seconds=1000)
        with acting(contender, setting, "work", folder) as third:
            figures |= third.next()
            third.end()
    return {**figures, GROWTH: figures[MEGABYTES] / figures[ALONE]}


async def _events(crew: Crew, size: int) -> Figures:
    """Send events at an even pace, whatever becomes of them, and time the steps after them."""
    count = max(10, min(int(_EVENTS * PER_SECOND), size // 10))
    sent: dict[int, float] = {}
    taken: list[float] = []
    all_heard = asyncio.Event()

    def hear(number: int) -> None:
        taken.append(time.perf_counter() - sent[number])
        if len(taken) == count:
            all_heard.set()

    crew.listen(hear)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for place in range(count):
            await asyncio.sleep(max(0, began + place / PER_SECOND - time.perf_counter()))
            number = place * _STRIDE % size
            sent[number] = time.perf_counter()
            group.create_task(crew.send(number))
    accepted = time.perf_counter() - began
    await asyncio.wait_for(all_heard.wait(), _PATIENCE)
    return {SENT: count / accepted, **percentiles(taken), LONGEST: max(taken) * 1e3}


async def _timed(crew: Crew) -> float:
    began = time.perf_counter()
    await crew.due()
    return (time.perf_counter() - began) * 1e3


WAITING = Job(
    name="waiting",
    title=f"Runs that wait for an event, and then {PER_SECOND} events a second",
    compared=P99,
    size=100_000,
    quick_size=None,
    unit="runs",
    measure=waiting,
    roles={"rest": rest, "seed": seed, "work": work},
    needs=frozenset({"postgres", "redis"}),
    most_rounds=1,
    aims=(
        Aim(text="flat: ≤ 1.2", figure=GROWTH, at_most=1.2),
        Aim(text="≤ 100 ms", figure=P99, at_most=100),
        Aim(text="on Redis ≤ 100 ms", figure=P99, of="redis", at_most=100),
    ),
)

JOBS = (WAITING,)
