"""Workflows as messages, which a worker of Dramatiq executes, beside messages that do nothing."""

import gc
from statistics import median
from typing import Protocol

from bench.contract import Aim, Figures, Job, Setting
from bench.drive import PER_SECOND

IDLE = "idle, start to finish p50, ms"
_SINGLES = 30
THREADS = 8


class Queue(Protocol):
    """A worker that waits for messages, and those who send them."""

    async def burst(self, count: int) -> float:
        """Send so many as fast as can be; return the seconds until the last is finished."""
        ...

    async def single(self) -> float:
        """Send one to the idle worker; return the seconds until it is finished."""
        ...


async def both(queue: Queue, setting: Setting) -> Figures:
    """Measure the rate of many, then the time of one."""
    count = int(setting.size)
    await queue.burst(max(1, count // 10))
    gc.collect()
    seconds = await queue.burst(count)
    singles = [await queue.single() for _ in range(_SINGLES)]
    return {PER_SECOND: count / seconds, IDLE: median(singles) * 1e3}


_HALF = Aim(text="≥ half of raw messages", figure=PER_SECOND, against=("floor",), at_least=0.5)

RABBITMQ = Job(
    name="dramatiq-rabbitmq",
    title="Dramatiq runner, three trivial async steps, RabbitMQ as broker",
    compared=PER_SECOND,
    more_is_better=True,
    size=2_000,
    quick_size=300,
    measure=both,
    needs=frozenset({"postgres", "rabbitmq"}),
    aims=(_HALF, Aim(text="≤ 20 ms", figure=IDLE, at_most=20)),
)

REDIS = Job(
    name="dramatiq-redis",
    title="Dramatiq runner, three trivial async steps, Redis as broker",
    compared=PER_SECOND,
    more_is_better=True,
    size=2_000,
    quick_size=300,
    measure=both,
    needs=frozenset({"postgres", "redis"}),
    aims=(_HALF,),
)

JOBS = (RABBITMQ, REDIS)
