"""This project: runs that wait for an event."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bench.contenders.hephaestus.stores import Make, distributions, postgres, redis
from bench.contract import Contender, Setting
from bench.jobs.waiting import WAITING, Crew


class _Crew:
    def __init__(self, app: Any, workflow: Any) -> None:
        self._app = app
        self._workflow = workflow
        self.heard: Callable[[int], None] = print

    async def start(self, number: int) -> None:
        await self._workflow.start(str(number), {"number": number})

    async def wait(self, count: int) -> None:
        while await self._waiting() < count:  # noqa: ASYNC110 - what changes is in a database
            await asyncio.sleep(0.1)

    async def _waiting(self) -> int:
        waiting: int = await self._app.count(status="waiting")
        return waiting

    async def send(self, number: int) -> None:
        await self._workflow.resume(str(number), "go", {})

    def listen(self, heard: Callable[[int], None]) -> None:
        self.heard = heard

    async def due(self) -> None:
        known = [(self._workflow.name, self._workflow.version)]
        hidden = timedelta(seconds=1)
        await self._app.storage.due(datetime.now(UTC), 100, known, hand_over=hidden)


@asynccontextmanager
async def crew(setting: Setting, *, make: Make) -> AsyncIterator[Crew]:
    """Open an app whose workflow waits for an event, and then takes a step."""
    from hephaestus import Done, Hephaestus, StepContext, WaitForEvent, Workflow, step

    go = WaitForEvent("go")

    @step
    async def after(ctx: StepContext) -> None:
        found.heard(ctx.initial["number"])

    class Waiting(Workflow, unique="number", name="bench.Waiting"):
        start_step = go
        transitions = {go: {"received": after}, after: {"done": Done}}

    async with Hephaestus(await make(setting)) as app:
        found = _Crew(app, Waiting)
        yield found


CONTENDERS = tuple(
    Contender(
        name="hephaestus" if make is postgres else "redis",
        job=WAITING,
        title=f"Hephaestus, {title}",
        distributions=distributions(make),
        open=partial(crew, make=make),
        ours=make is postgres,
        note="LocalRunner with its defaults",
    )
    for make, title in ((postgres, "PostgresStorage"), (redis, "RedisStorage"))
)
