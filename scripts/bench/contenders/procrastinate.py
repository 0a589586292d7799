"""Procrastinate: jobs in PostgreSQL, each of which defers the next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bench.contract import Contender, Run, Setting
from bench.jobs.line import CONCURRENCY, LATENCY, THROUGHPUT

_POOL = 20
_CONCURRENCY = 256
_LOOK = 0.1
"""Seconds between two looks for jobs; by default 5, and a notification that comes while it looks
is forgotten, so that it then rests as long."""


@asynccontextmanager
async def line(setting: Setting) -> AsyncIterator[Run]:
    """Work off jobs in the process that defers them."""
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=setting.postgres, max_size=_POOL))
    ends: dict[int, asyncio.Future[int]] = {}

    @app.task(name="first")
    async def first(begin: int, number: int) -> None:
        await second.defer_async(begin=begin, number=number + 1)

    @app.task(name="second")
    async def second(begin: int, number: int) -> None:
        await third.defer_async(begin=begin, number=number + 1)

    @app.task(name="third")
    async def third(begin: int, number: int) -> None:
        ends[begin].set_result(number + 1)

    async def run(number: int) -> int:
        ends[number] = asyncio.get_running_loop().create_future()
        await first.defer_async(begin=number, number=number)
        try:
            return await ends[number]
        finally:
            del ends[number]

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=_CONCURRENCY,
                fetch_job_polling_interval=_LOOK,
                install_signal_handlers=False,
            )
        )
        try:
            yield run
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker


CONTENDERS = tuple(
    Contender(
        name="procrastinate",
        job=job,
        title="Procrastinate, three chained jobs",
        distributions=("procrastinate", "psycopg"),
        open=line,
        environment="procrastinate",
        note=f"a worker of {_CONCURRENCY} coroutines in the same process, "
        f"up to {_POOL} connections, LISTEN/NOTIFY, a look every {_LOOK} s; "
        "its end is noticed in the process",
    )
    for job in (THROUGHPUT, CONCURRENCY, LATENCY)
)
