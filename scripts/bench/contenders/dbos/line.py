"""DBOS: durable functions in PostgreSQL, as coroutines and in threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from bench.contract import Contender, Job, Run, Setting
from bench.jobs.line import CONCURRENCY, LATENCY, ON_POSTGRES, SHARED, THROUGHPUT

ENVIRONMENT = "dbos"
POOL = 20
"""Connections, as it has by default; a larger pool makes it no faster here."""

_MOST_THREADS = 256


@asynccontextmanager
async def launched(setting: Setting, **options: Any) -> AsyncIterator[Any]:
    """Launch it; what is decorated before that is what it can recover."""
    from dbos import DBOS

    config = {
        "name": "bench",
        "system_database_url": setting.postgres.replace("postgresql://", "postgresql+psycopg://"),
        "sys_db_pool_size": POOL,
        "executor_id": f"bench-{setting.part}",
        "application_version": "1",
        "log_level": "ERROR",
        **options,
    }
    DBOS(config=config)
    await asyncio.to_thread(DBOS.launch)
    try:
        yield DBOS
    finally:
        await asyncio.to_thread(DBOS.destroy)


@asynccontextmanager
async def coroutines(setting: Setting) -> AsyncIterator[Run]:
    """Run workflows as coroutines."""
    from dbos import DBOS

    @DBOS.step()
    async def first(number: int) -> int:
        return number + 1

    @DBOS.step()
    async def second(number: int) -> int:
        return number + 1

    @DBOS.step()
    async def third(number: int) -> int:
        return number + 1

    @DBOS.workflow()
    async def line(number: int) -> int:
        result: int = await third(await second(await first(number)))
        return result

    async def run(number: int) -> int:
        handle = await DBOS.start_workflow_async(line, number)
        result: int = await handle.get_result()
        return result

    async with launched(setting):
        yield run


@asynccontextmanager
async def threads(setting: Setting) -> AsyncIterator[Run]:
    """Run workflows as functions, each in a thread of its own."""
    from dbos import DBOS

    @DBOS.step()
    def first(number: int) -> int:
        return number + 1

    @DBOS.step()
    def second(number: int) -> int:
        return number + 1

    @DBOS.step()
    def third(number: int) -> int:
        return number + 1

    @DBOS.workflow()
    def line(number: int) -> int:
        result: int = third(second(first(number)))
        return result

    async with launched(setting):
        with ThreadPoolExecutor(_MOST_THREADS) as pool:
            loop = asyncio.get_running_loop()

            async def run(number: int) -> int:
                result: int = await loop.run_in_executor(pool, line, number)
                return result

            yield run


def _contenders(
    jobs: Iterable[Job],
    open: Callable[[Setting], AbstractAsyncContextManager[Run]],
    *,
    is_pinned: bool = False,
) -> list[Contender]:
    is_async = open is coroutines
    style = "async" if is_async else "threads"
    return [
        Contender(
            name="dbos" + "-threads" * (not is_async) + "-pinned" * is_pinned,
            job=job,
            title=f"DBOS, {style}{', on one core' if is_pinned else ''}",
            distributions=("dbos", "psycopg"),
            open=open,
            environment=ENVIRONMENT,
            is_pinned=is_pinned,
            note=f"pool of {POOL} connections, LISTEN/NOTIFY on: its defaults",
        )
        for job in jobs
    ]


_MANY = (THROUGHPUT, SHARED, CONCURRENCY)
CONTENDERS = (
    *_contenders(ON_POSTGRES, coroutines),
    *_contenders((*_MANY, LATENCY), coroutines, is_pinned=True),
    *_contenders((THROUGHPUT, LATENCY), threads),
    *_contenders((THROUGHPUT, CONCURRENCY, LATENCY), threads, is_pinned=True),
)
