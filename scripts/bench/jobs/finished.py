"""Starting runs where many have finished before."""

import itertools
import time
from statistics import median
from typing import Protocol

from bench.contract import Aim, Figures, Job, Run, Setting
from bench.drive import PER_SECOND, rate
from bench.jobs.line import IN_FLIGHT, add_steps

START = "a start, p50, ms"
OPEN = "to open, ms"
_STARTS = 300
_SECONDS = 3.0


class Filled(Protocol):
    """An app on a storage that holds many finished runs."""

    opening: float
    """Seconds that it took to open."""

    run: Run

    async def start(self, number: int) -> None:
        """Start a run."""
        ...


async def starting(filled: Filled, _: Setting) -> Figures:
    """Start runs one after another, then many at once."""
    taken = []
    for number in itertools.islice(itertools.count(), 10 + _STARTS):
        began = time.perf_counter()
        await filled.start(number)
        taken.append(time.perf_counter() - began)
    many = await rate(
        filled.run, Setting(size=_SECONDS, part=1), in_flight=IN_FLIGHT, result=add_steps
    )
    return {
        START: median(taken[10:]) * 1e3,
        PER_SECOND: many[PER_SECOND],
        OPEN: filled.opening * 1e3,
    }


FINISHED = Job(
    name="finished",
    title="Starting with a million finished runs in the tables, and with none",
    compared=START,
    size=1_000_000,
    quick_size=None,
    unit="finished runs",
    measure=starting,
    needs=frozenset({"postgres"}),
    most_rounds=3,
    aims=(Aim(text="≤ 1.2 times that of none", figure=START, against=("empty",), at_most=1.2),),
)

JOBS = (FINISHED,)
