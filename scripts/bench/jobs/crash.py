"""A worker is killed with runs in flight, and started again."""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from bench.actor import acting
from bench.contract import Aim, Contender, Figures, Job, Setting
from bench.marks import tell

STEPS = 3
BODY = 0.05
"""Seconds that a step takes."""

FINISHED = "all finished, s after restart"
OPENED = "of it until it is open"
TWICE = "bodies run twice"
LOST = "accepted starts lost"
STARTED = "starts accepted"
_LOOK = 0.02
_PATIENCE = 120.0


class Crew(Protocol):
    """A worker whose bodies call `body`."""

    async def start(self, number: int) -> None:
        """Start a run; on return it is accepted."""
        ...

    async def unfinished(self) -> int:
        """Count the runs that are known and not finished."""
        ...

    async def finished(self) -> int:
        """Count the runs that are finished."""
        ...


async def body(folder: str, number: int, step: int) -> None:
    """Do what a step does: write down that it began, and take a while."""
    _write(Path(folder) / "bodies", f"{number} {step}\n")
    await asyncio.sleep(BODY)


async def begin(crew: Crew, setting: Setting) -> None:
    """Start all runs at once, and work until the end comes."""

    async def start(number: int) -> None:
        await crew.start(number)
        _write(Path(setting.folder) / "accepted", f"{number}\n")

    await asyncio.gather(*(start(number) for number in range(int(setting.size))))
    await asyncio.sleep(_PATIENCE)


async def go_on(crew: Crew, _: Setting) -> None:
    """Take up what was left, and tell when all of it is finished."""
    tell({"at": time.time()})
    await _until(crew.unfinished)
    tell({"at": time.time(), "finished": await crew.finished()})


async def crash(contender: Contender, setting: Setting) -> Figures:
    """Kill the first worker in the middle of its work, and time the second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("bodies", "accepted"):
            (folder / file).touch()
        half = int(setting.size) * STEPS // 2
        with acting(contender, setting, "begin", folder) as first:
            until = time.monotonic() + _PATIENCE
            while len(_lines(folder / "bodies")) < half and time.monotonic() < until:
                time.sleep(0.002)  # noqa: ASYNC251 - there is nothing else to do
            first.kill()
        accepted = len(_lines(folder / "accepted"))
        with acting(contender, setting, "go_on", folder) as second:
            opened, ended = second.next(), second.next()
            second.end()
        bodies = Counter(_lines(folder / "bodies"))
    return {
        FINISHED: ended["at"] - second.began,
        OPENED: opened["at"] - second.began,
        TWICE: sum(count > 1 for count in bodies.values()),
        LOST: max(0, accepted - ended["finished"]),
        STARTED: accepted,
    }


async def _until(left: Callable[[], Awaitable[int]]) -> None:
    until = time.monotonic() + _PATIENCE
    while await left() and time.monotonic() < until:  # noqa: ASYNC110 - it is in a database
        await asyncio.sleep(_LOOK)


def _write(file: Path, line: str) -> None:
    """Append a line that outlives this process."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


CRASH = Job(
    name="crash",
    title=f"kill -9 in the middle of runs of {STEPS} steps of 50 ms, all started at once; restart",
    compared=FINISHED,
    size=200,
    quick_size=200,
    unit="runs",
    measure=crash,
    roles={"begin": begin, "go_on": go_on},
    needs=frozenset({"postgres", "redis"}),
    aims=(
        Aim(text="≤ 1 s", figure=FINISHED, at_most=1),
        Aim(text="none", figure=LOST, at_most=0),
        Aim(text="no more than DBOS", figure=TWICE, against=("dbos",), at_most=1),
    ),
)

JOBS = (CRASH,)
