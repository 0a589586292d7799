"""This project."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.contract import Contender, Run
from bench.jobs.line import LINE


@asynccontextmanager
async def _line() -> AsyncIterator[Run]:
    from hephaestus import Done, Hephaestus, StepContext, Workflow, step

    @step
    async def first(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx.initial["number"] + 1}

    @step
    async def second(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx[first]["number"] + 1}

    @step
    async def third(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx[second]["number"] + 1}

    class Line(Workflow, unique="number"):
        start_step = first
        transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}

    async def run(number: int) -> int:
        handle = await Line.start(str(number), {"number": number})
        result: int = (await handle.result())["number"]
        return result

    async with Hephaestus():
        yield run


CONTENDERS = (
    Contender(
        name="hephaestus",
        job=LINE,
        title="Hephaestus, MemoryStorage",
        distributions=("hephaestus-core",),
        open=_line,
        ours=True,
    ),
)
