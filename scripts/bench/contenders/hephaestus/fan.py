"""This project: many steps at once, and one that joins them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bench.contenders.hephaestus.stores import Make, distributions, postgres, redis
from bench.contract import Contender, Run, Setting
from bench.jobs.fan import FAN, FANS, FANS_WRITES, WIDTHS, Fan


@asynccontextmanager
async def fans(setting: Setting, *, make: Make) -> AsyncIterator[Fan]:
    """Open an app that runs fan-outs of several widths."""
    from hephaestus import Hephaestus, LocalRunner

    runs = {width: _fan(width) for width in WIDTHS}
    # As much room as the widest fan-out takes.
    runner = LocalRunner(concurrency=max(WIDTHS))
    async with Hephaestus(await make(setting), runner):
        yield lambda width: runs[width]


def _fan(width: int) -> Run:
    from hephaestus import Done, Step, StepContext, Workflow, step

    @step
    async def begin(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx.initial["number"]}

    def branch(place: int) -> Step:
        @step(key=f"branch-{place}")
        async def add(ctx: StepContext) -> dict[str, int]:
            return {"number": ctx[begin]["number"] + place}

        return add

    branches = [branch(place) for place in range(width)]

    @step
    async def join(ctx: StepContext) -> dict[str, int]:
        return {"number": sum(ctx[one]["number"] for one in branches)}

    class Fanned(Workflow, unique="number", name=f"bench.Fan{width}"):
        start_step = begin
        transitions = {
            begin: {"done": branches},
            **{one: {"done": join} for one in branches},
            join: {"done": Done},
        }

    async def run(number: int) -> int:
        handle = await Fanned.start(str(number), {"number": number})
        result: int = (await handle.result())["number"]
        return result

    return run


_ON_POSTGRES = [
    Contender(
        name="hephaestus",
        job=job,
        title="Hephaestus, PostgresStorage",
        distributions=distributions(postgres),
        open=partial(fans, make=postgres),
        ours=True,
    )
    for job in (FAN, FANS, FANS_WRITES)
]
_ON_REDIS = [
    Contender(
        name="redis",
        job=job,
        title="Hephaestus, RedisStorage",
        distributions=distributions(redis),
        open=partial(fans, make=redis),
    )
    for job in (FAN, FANS)
]
CONTENDERS = (*_ON_POSTGRES, *_ON_REDIS)
