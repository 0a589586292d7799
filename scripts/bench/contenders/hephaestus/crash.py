"""This project: a named worker that is killed and comes back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from bench.contenders.hephaestus.stores import Make, distributions, postgres, redis
from bench.contract import Contender, Setting
from bench.jobs.crash import CRASH, Crew, body


class _Crew:
    def __init__(self, app: Any, workflow: Any, folder: str) -> None:
        self._app = app
        self._workflow = workflow
        self._folder = folder

    async def start(self, number: int) -> None:
        initial = {"number": number, "folder": self._folder}
        await self._workflow.start(str(number), initial)

    async def unfinished(self) -> int:
        return await self._app.count() - await self.finished()  # type: ignore[no-any-return]

    async def finished(self) -> int:
        return await self._app.count(status="completed")  # type: ignore[no-any-return]


@asynccontextmanager
async def crew(setting: Setting, *, make: Make) -> AsyncIterator[Crew]:
    """Open an app whose worker has a name."""
    from hephaestus import Done, Hephaestus, LocalRunner, StepContext, Workflow, step

    @step
    async def first(ctx: StepContext) -> None:
        await body(ctx.initial["folder"], ctx.initial["number"], 1)

    @step
    async def second(ctx: StepContext) -> None:
        await body(ctx.initial["folder"], ctx.initial["number"], 2)

    @step
    async def third(ctx: StepContext) -> None:
        await body(ctx.initial["folder"], ctx.initial["number"], 3)

    class Slow(Workflow, unique="number", name="bench.Slow"):
        start_step = first
        transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}

    runner = LocalRunner(name="bench-worker")
    async with Hephaestus(await make(setting), runner) as app:
        yield _Crew(app, Slow, setting.folder)


CONTENDERS = tuple(
    Contender(
        name="hephaestus" if make is postgres else "redis",
        job=CRASH,
        title=f"Hephaestus, {title}",
        distributions=distributions(make),
        open=partial(crew, make=make),
        ours=make is postgres,
        note='LocalRunner(name="bench-worker")',
    )
    for make, title in ((postgres, "PostgresStorage"), (redis, "RedisStorage"))
)
