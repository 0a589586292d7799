"""How fast a contender gets through many workflows, so many of them in flight."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterable

from bench.contract import Figures, Run, WrongResult

PER_WORKFLOW = "µs per workflow"
CPU_PER_WORKFLOW = "of it CPU"
STEPS_PER_SECOND = "steps per second"


async def throughput(
    run: Run, size: int, *, in_flight: int, steps: int, result: Callable[[int], int]
) -> Figures:
    """Run that many workflows, after a tenth as many to get warm."""
    warm = size // 10
    await _drive(run, range(warm), in_flight, result)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await _drive(run, range(warm, warm + size), in_flight, result)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        PER_WORKFLOW: wall / size * 1e6,
        CPU_PER_WORKFLOW: cpu / size * 1e6,
        STEPS_PER_SECOND: size * steps / wall,
    }


async def _drive(
    run: Run, numbers: Iterable[int], in_flight: int, result: Callable[[int], int]
) -> None:
    """Keep so many in flight until all numbers are done; a wrong result ends it."""
    waiting = iter(numbers)

    async def work() -> None:
        for number in waiting:
            got = await run(number)
            if got != result(number):
                raise WrongResult(number, result(number), got)

    await asyncio.gather(*(work() for _ in range(in_flight)))
