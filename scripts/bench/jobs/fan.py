"""A fan-out of steps and the step that joins them."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import TypeAlias

from bench import watch
from bench.contract import Aim, Figures, Job, Run, Setting
from bench.drive import P50, check, latency
from bench.marks import mark

WIDTH = 20
NARROW, MIDDLE, WIDE = 10, 100, 1000
WIDTHS = (NARROW, WIDTH, MIDDLE, WIDE)
GROWTH = "1,000 for 100"

Fan: TypeAlias = Callable[[int], Run]
"""Gives, for a width, what runs a fan-out of so many branches.

The first step passes a number on, each branch adds its place from 0, the join adds all up.
"""


async def one(fan: Fan, setting: Setting) -> Figures:
    """Run fan-outs of twenty, one after another."""
    return await latency(fan(WIDTH), setting, result=partial(total, width=WIDTH))


async def all_widths(fan: Fan, setting: Setting) -> Figures:
    """Run fan-outs of each width, one after another, and count what they do to the server."""
    figures = {}
    for width in (NARROW, MIDDLE, WIDE):
        run, result, times = fan(width), partial(total, width=width), []
        # The first is for getting warm, and as many are run as take a time worth measuring.
        count = max(3, int(setting.size * MIDDLE / width))
        check(0, await run(0), result)
        mark("begin")
        for number in range(1, 1 + count):
            began = time.perf_counter()
            got = await run(number)
            times.append(time.perf_counter() - began)
            check(number, got, result)
        mark("end", per=count, of=of_width(width))
        figures[f"{of_width(width)}ms"] = median(times) * 1e3
    figures[GROWTH] = figures[f"{of_width(WIDE)}ms"] / figures[f"{of_width(MIDDLE)}ms"]
    return figures


def total(number: int, width: int) -> int:
    """Return the result of a fan-out."""
    return width * number + width * (width - 1) // 2


def of_width(width: int) -> str:
    """Return what the headings of a width begin with."""
    return f"{width:,}: "


FAN = Job(
    name="fan-out",
    title=f"Fan-out of {WIDTH} trivial steps and join, one after another",
    compared=P50,
    size=100,
    quick_size=20,
    measure=one,
    needs=frozenset({"postgres", "redis"}),
    aims=(Aim(text="≤ 8 ms", figure=P50, at_most=8),),
)

_AT_100 = f"{of_width(MIDDLE)}ms"
FANS = Job(
    name="fan-outs",
    title="Fan-outs of 10, 100 and 1,000 trivial steps and join, one after another",
    compared=_AT_100,
    size=10,
    quick_size=None,
    unit="fan-outs of 100, at least 3 of any width",
    measure=all_widths,
    needs=frozenset({"postgres", "redis"}),
    aims=(
        Aim(text="linear: ≤ 12", figure=GROWTH, at_most=12),
        Aim(text="linear on Redis: ≤ 12", figure=GROWTH, of="redis", at_most=12),
        Aim(text="≤ a fifth of DBOS", figure=_AT_100, against=("dbos",), at_most=1 / 5),
    ),
)

FANS_WRITES = Job(
    name="fan-outs-writes",
    title="What a fan-out of 10, 100 and 1,000 trivial steps writes to PostgreSQL",
    compared=f"{of_width(MIDDLE)}{watch.WAL}",
    size=10,
    quick_size=None,
    unit="fan-outs of 100, at least 3 of any width",
    measure=all_widths,
    needs=frozenset({"postgres"}),
    is_watched=True,
    most_rounds=1,
)

JOBS = (FAN, FANS, FANS_WRITES)
