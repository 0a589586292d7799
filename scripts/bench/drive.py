"""Driving a contender through many workflows, and what that says about it."""

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import quantiles

from bench.contract import Figures, Run, Setting, WrongResult
from bench.marks import mark

Result = Callable[[int], int]
"""What a workflow must return for the number that it began with."""

PER_WORKFLOW = "µs per workflow"
CPU_PER_WORKFLOW = "of it CPU"
STEPS_PER_SECOND = "steps per second"
PER_SECOND = "workflows/s"
CPU = "ms of its CPU per workflow"
P50 = "p50, ms"
P99 = "p99, ms"

_WARM = 0.2
"""What part of the time comes first, to get warm."""


async def cost(
    run: Run, setting: Setting, *, in_flight: int, steps: int, result: Result
) -> Figures:
    """Run so many workflows, after a tenth as many to get warm: what does one cost?"""
    size = int(setting.size)
    warm = size // 10
    await _drive(run, range(warm), in_flight, result)
    gc.collect()
    mark("begin")
    wall, cpu = time.perf_counter(), time.process_time()
    await _drive(run, range(warm, warm + size), in_flight, result)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    mark("end")
    return {
        PER_WORKFLOW: wall / size * 1e6,
        CPU_PER_WORKFLOW: cpu / size * 1e6,
        STEPS_PER_SECOND: size * steps / wall,
    }


async def count(run: Run, setting: Setting, *, in_flight: int, result: Result) -> Figures:
    """Run so many workflows, while others count what they do to the server."""
    size = int(setting.size)
    numbers = _numbers(setting)
    await _drive(run, itertools.islice(numbers, 2 * in_flight), in_flight, result)
    mark("begin")
    await _drive(run, itertools.islice(numbers, size), in_flight, result)
    mark("end", per=size)
    return {}


async def rate(run: Run, setting: Setting, *, in_flight: int, result: Result) -> Figures:
    """Keep so many in flight for so many seconds: how many are done in one?"""
    numbers = _numbers(setting)
    await _drive_for(run, numbers, setting.size * _WARM, in_flight, result)
    gc.collect()
    mark("begin")
    wall, cpu = time.perf_counter(), time.process_time()
    done = await _drive_for(run, numbers, setting.size, in_flight, result)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    mark("end")
    return {PER_SECOND: done / wall, CPU: cpu / done * 1e3}


async def rates(run: Run, setting: Setting, *, widths: Sequence[int], result: Result) -> Figures:
    """Do that with each of some numbers in flight."""
    numbers = _numbers(setting)
    found = {}
    for width in widths:
        await _drive_for(run, numbers, setting.size * _WARM, width, result)
        began = time.perf_counter()
        done = await _drive_for(run, numbers, setting.size, width, result)
        found[str(width)] = done / (time.perf_counter() - began)
    return found


async def latency(run: Run, setting: Setting, *, result: Result) -> Figures:
    """Run so many workflows one after another: how long does one take?"""
    numbers = _numbers(setting)
    await _drive(run, itertools.islice(numbers, 10), 1, result)
    gc.collect()
    taken = []
    for number in itertools.islice(numbers, int(setting.size)):
        began = time.perf_counter()
        got = await run(number)
        taken.append(time.perf_counter() - began)
        check(number, got, result)
    return percentiles(taken)


def percentiles(seconds: Sequence[float]) -> Figures:
    """Return the middle and the 99th of some times, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {P50: cuts[49] * 1e3, P99: cuts[98] * 1e3}


def check(number: int, got: int, result: Result) -> None:
    """Raise an error at a wrong result."""
    if got != result(number):
        raise WrongResult(number, result(number), got)


def _numbers(setting: Setting) -> Iterable[int]:
    """Return numbers that nobody else who shares the work begins with."""
    return itertools.count(setting.part * 100_000_000)


async def _drive_for(
    run: Run, numbers: Iterable[int], seconds: float, in_flight: int, result: Result
) -> int:
    """Keep so many in flight, begin none after the time, and return how many there were."""
    until = time.perf_counter() + seconds
    # One number too many is taken, and begins nothing.
    timely = itertools.takewhile(lambda _: time.perf_counter() < until, numbers)
    return await _drive(run, timely, in_flight, result)


async def _drive(run: Run, numbers: Iterable[int], in_flight: int, result: Result) -> int:
    """Keep so many in flight until all numbers are done; a wrong result ends it."""
    waiting = iter(numbers)
    done = 0

    async def work() -> None:
        nonlocal done
        for number in waiting:
            check(number, await run(number), result)
            done += 1

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return done
