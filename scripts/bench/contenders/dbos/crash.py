"""DBOS: an executor that is killed and comes back under its id."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.contenders.dbos.line import ENVIRONMENT, POOL, launched
from bench.contract import Contender, Setting
from bench.jobs.crash import CRASH, Crew, body


class _Crew:
    def __init__(self, dbos: Any, workflow: Any, folder: str) -> None:
        self._dbos = dbos
        self._workflow = workflow
        self._folder = folder

    async def start(self, number: int) -> None:
        await self._dbos.start_workflow_async(self._workflow, number, self._folder)

    async def unfinished(self) -> int:
        return await self._count("PENDING", "ENQUEUED")

    async def finished(self) -> int:
        return await self._count("SUCCESS")

    async def _count(self, *status: str) -> int:
        found = await self._dbos.list_workflows_async(
            status=list(status), load_input=False, load_output=False
        )
        return len(found)


@asynccontextmanager
async def crew(setting: Setting) -> AsyncIterator[Crew]:
    """Launch it under an id, so that it recovers what it left."""
    from dbos import DBOS

    @DBOS.step()
    async def work(folder: str, number: int, step: int) -> None:
        await body(folder, number, step)

    @DBOS.workflow()
    async def slow(number: int, folder: str) -> None:
        for step in (1, 2, 3):
            await work(folder, number, step)

    async with launched(setting):
        yield _Crew(DBOS, slow, setting.folder)


CONTENDERS = (
    Contender(
        name="dbos",
        job=CRASH,
        title="DBOS, async",
        distributions=("dbos", "psycopg"),
        open=crew,
        environment=ENVIRONMENT,
        note=f"pool of {POOL} connections; the same executor id",
    ),
)
