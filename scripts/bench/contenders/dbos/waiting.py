"""DBOS: workflows that wait in `recv`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.contenders.dbos.line import ENVIRONMENT, POOL, launched
from bench.contract import Contender, Setting
from bench.jobs.waiting import WAITING, Crew

_DAY = 86_400.0
_MOST = 1_000
"""A thousand take minutes to start: each that waits asks the database again and again."""


class _Crew:
    def __init__(self, dbos: Any, workflow: Any) -> None:
        self._dbos = dbos
        self._workflow = workflow
        self.heard: Callable[[int], None] = print
        self.waiting = 0

    async def start(self, number: int) -> None:
        from dbos import SetWorkflowID

        with SetWorkflowID(f"waiting-{number}"):
            await self._dbos.start_workflow_async(self._workflow, number)

    async def wait(self, count: int) -> None:
        while self.waiting < count:  # noqa: ASYNC110 - it is looked at seldom
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)

    async def send(self, number: int) -> None:
        await self._dbos.send_async(f"waiting-{number}", "go")

    def listen(self, heard: Callable[[int], None]) -> None:
        self.heard = heard

    async def due(self) -> None:
        return


@asynccontextmanager
async def crew(setting: Setting) -> AsyncIterator[Crew]:
    """Launch it; a worker recovers the workflows that wait."""
    from dbos import DBOS

    @DBOS.step()
    async def after(number: int) -> None:
        found.heard(number)

    @DBOS.workflow()
    async def waits(number: int) -> None:
        found.waiting += 1
        await DBOS.recv_async(timeout_seconds=_DAY)
        await after(number)

    found = _Crew(DBOS, waits)
    async with launched(setting):
        yield found


CONTENDERS = (
    Contender(
        name="dbos",
        job=WAITING,
        title="DBOS, async, recv",
        distributions=("dbos", "psycopg"),
        open=crew,
        environment=ENVIRONMENT,
        note=f"pool of {POOL} connections; each that waits is a coroutine of the worker",
        most=_MOST,
    ),
)
