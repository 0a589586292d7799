"""DBOS: many steps at once by `asyncio.gather`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.contenders.dbos.line import ENVIRONMENT, POOL, launched
from bench.contract import Contender, Run, Setting
from bench.jobs.fan import FAN, FANS, FANS_WRITES, Fan


@asynccontextmanager
async def fans(setting: Setting) -> AsyncIterator[Fan]:
    """Run fan-outs of any width."""
    from dbos import DBOS

    @DBOS.step()
    async def begin(number: int) -> int:
        return number

    @DBOS.step()
    async def add(number: int, place: int) -> int:
        return number + place

    @DBOS.step()
    async def join(numbers: list[int]) -> int:
        return sum(numbers)

    @DBOS.workflow()
    async def fanned(number: int, width: int) -> int:
        number = await begin(number)
        result: int = await join(
            await asyncio.gather(*(add(number, place) for place in range(width)))
        )
        return result

    def fan(width: int) -> Run:
        async def run(number: int) -> int:
            handle = await DBOS.start_workflow_async(fanned, number, width)
            result: int = await handle.get_result()
            return result

        return run

    async with launched(setting):
        yield fan


CONTENDERS = tuple(
    Contender(
        name="dbos",
        job=job,
        title="DBOS, async, asyncio.gather",
        distributions=("dbos", "psycopg"),
        open=fans,
        environment=ENVIRONMENT,
        note=f"pool of {POOL} connections",
    )
    for job in (FAN, FANS, FANS_WRITES)
)
