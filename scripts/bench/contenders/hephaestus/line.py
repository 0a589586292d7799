"""This project: a line of steps on each storage."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from bench.contenders.hephaestus.stores import Make, distributions, memory, postgres, redis
from bench.contract import Contender, Job, Run, Setting
from bench.jobs.line import (
    CONCURRENCY,
    ON_POSTGRES,
    ON_REDIS,
    REDIS_LATENCY,
    REDIS_THROUGHPUT,
    THROUGHPUT,
)
from bench.jobs.memory import MEMORY


@asynccontextmanager
async def line(setting: Setting, *, make: Make, concurrency: int = 256) -> AsyncIterator[Run]:
    """Open an app that takes a workflow of three steps to its end."""
    from hephaestus import Done, Hephaestus, LocalRunner, StepContext, Workflow, step

    @step
    async def first(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx.initial["number"] + 1}

    @step
    async def second(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx[first]["number"] + 1}

    @step
    async def third(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx[second]["number"] + 1}

    class Line(Workflow, unique="number", name="bench.Line"):
        start_step = first
        transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}

    async def run(number: int) -> int:
        handle = await Line.start(str(number), {"number": number})
        result: int = (await handle.result())["number"]
        return result

    async with Hephaestus(await make(setting), LocalRunner(concurrency=concurrency)):
        yield run


def _contenders(
    jobs: Iterable[Job], make: Make, title: str, *, name: str = "", is_pinned: bool = False
) -> list[Contender]:
    """Return us on one storage, once for each job; one with a name of its own is not the first."""
    return [
        Contender(
            name=name or "hephaestus",
            job=job,
            title=title,
            distributions=distributions(make),
            open=partial(line, make=make),
            ours=not name,
            is_pinned=is_pinned,
        )
        for job in jobs
    ]


CONTENDERS = (
    *_contenders([MEMORY], memory, "Hephaestus, MemoryStorage"),
    *_contenders(ON_POSTGRES, postgres, "Hephaestus, PostgresStorage"),
    *_contenders(
        [THROUGHPUT, CONCURRENCY],
        postgres,
        "Hephaestus, PostgresStorage, on one core",
        name="pinned",
        is_pinned=True,
    ),
    *_contenders(ON_REDIS, redis, "Hephaestus, RedisStorage"),
    *_contenders(
        [REDIS_THROUGHPUT, REDIS_LATENCY], postgres, "Hephaestus, PostgresStorage", name="postgres"
    ),
)
