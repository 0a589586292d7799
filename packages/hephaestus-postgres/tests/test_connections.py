"""Connections are held for statements, not for steps, runs or storages."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listens_for
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from hephaestus import Done, Hephaestus, LocalRunner, StepContext, WaitForEvent, Workflow, step
from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import due, new_run, store
from hephaestus_postgres import PostgresStorage, TableNames
from servers.sql import execute

PATIENCE = 10
MANY = 10_000

_seen: list[int] = []
_engines: list[AsyncEngine] = []
_has_looked = asyncio.Event()


def held(engine: AsyncEngine) -> int:
    """Return how many connections of an engine are in use."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def none_is_held(engine: AsyncEngine) -> None:
    """Return when every connection was given back."""

    async def is_so() -> bool:
        return held(engine) == 0

    await eventually(is_so)


@step
async def look(ctx: StepContext) -> None:
    await none_is_held(_engines[-1])
    _seen.append(held(_engines[-1]))
    _has_looked.set()


class Looking(Workflow, unique="looking"):
    start_step = look
    transitions = {look: {"done": Done}}


paid = WaitForEvent("paid")


class Waiting(Workflow, unique="waiting"):
    start_step = paid
    transitions = {paid: {"received": Done}}


async def test_no_connection_is_held_while_a_body_runs(
    engine: AsyncEngine, opened: PostgresStorage
) -> None:
    _engines.append(engine)
    async with Hephaestus(opened, LocalRunner(poll=60)):
        looking = await Looking.start("1", {})
        # Who waits for a run looks at it now and then.
        await asyncio.wait_for(_has_looked.wait(), PATIENCE)
        instance = await looking.wait(PATIENCE)

    assert "completed" == instance.status
    assert 0 == _seen[-1]


async def test_an_idle_storage_and_a_closed_one_hold_no_connection(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    await storage.open()
    await store(storage, new_run())
    while_busy = held(engine)
    await none_is_held(engine)

    await store(storage, new_run())
    await storage.close()

    assert while_busy <= 1
    assert 0 == held(engine)


async def test_storages_of_several_schemas_names_and_databases_live_side_by_side(
    postgres_url: str, postgres_schema: str
) -> None:
    database, schema = (f"test_{uuid4().hex}" for _ in range(2))
    plain = postgres_url.replace("+asyncpg", "", 1)
    execute(plain, f"CREATE DATABASE {database}")
    execute(plain, f"CREATE SCHEMA {schema}")
    names = TableNames("runs", "lines", "letters")
    storages = [
        PostgresStorage(postgres_url, schema=postgres_schema),
        PostgresStorage(postgres_url, schema=schema),
        PostgresStorage(postgres_url, schema=schema, tables=names),
        PostgresStorage(make_url(postgres_url).set(database=database)),
    ]
    try:
        for number, storage in enumerate(storages):
            await storage.migrate()
            await storage.open()
            for _ in range(number):
                await store(storage, new_run())
        counts = [await storage.count() for storage in storages]
        for storage in storages:
            await storage.close()
    finally:
        execute(plain, f"DROP DATABASE {database} WITH (FORCE)")
        execute(plain, f"DROP SCHEMA {schema} CASCADE")

    assert [0, 1, 2, 3] == counts


@pytest.mark.parametrize("apps", [1, 2])
async def test_ten_thousand_waiting_runs_cost_neither_tasks_nor_connections(
    postgres_url: str, postgres_schema: str, apps: int
) -> None:
    engine = create_async_engine(postgres_url)
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    others = [Hephaestus(storage, LocalRunner(poll=0.05), name=f"app{n}") for n in range(apps - 1)]
    async with Hephaestus(storage, LocalRunner(poll=0.05)) as app:
        for other in others:
            await other.open()
        first = await app.start_instance(Waiting, {}, id="waiting::first")
        await app.wait(first.run_id, PATIENCE, until="waiting")
        await asyncio.sleep(0)
        before = len(asyncio.all_tasks())

        await _multiplied(storage, first.run_id)
        fresh = await app.start_instance(Waiting, {}, id="waiting::fresh")
        await app.resume(fresh.run_id, "paid")
        await app.wait(fresh.run_id, PATIENCE)
        await app.resume(f"waiting::{MANY}", "paid")
        instance = await app.wait(f"waiting::{MANY}", PATIENCE)

        assert "completed" == instance.status
        assert MANY == await app.count(status="waiting")

        async def is_quiet() -> bool:
            return len(asyncio.all_tasks()) <= before

        await eventually(is_quiet)
        assert held(engine) <= 6
        for other in others:
            await other.close()
    await engine.dispose()


async def _multiplied(storage: PostgresStorage, run_id: str) -> None:
    """Make ten thousand rows of one."""
    table = storage.tables.instances
    columns = [column.name for column in table.columns]
    changed = {
        "run_id": "i.run_id || '-' || n",
        "id": "'waiting::' || n",
        "unique_key": "i.unique_key || n",
    }
    values = [changed.get(name, f"i.{name}") for name in columns]
    async with storage.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO {table.schema}.{table.name} ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM {table.schema}.{table.name} i, "
            f"generate_series(1, {MANY}) n WHERE i.run_id = '{run_id}'"
        )


async def test_a_connection_goes_back_with_the_settings_of_the_application(
    postgres_url: str, postgres_schema: str
) -> None:
    engine = create_async_engine(postgres_url)

    @listens_for(engine.sync_engine, "connect")
    def set_up(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('timezone', 'Asia/Tokyo', false)")
        cursor.execute("SELECT set_config('lock_timeout', '3s', false)")
        connection.commit()

    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    await storage.open()
    run = await store(storage, new_run())
    await storage.load(run.run_id)
    await due(storage)
    await storage.close()

    asked = text("SELECT current_setting('timezone') || ' ' || current_setting('lock_timeout')")
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    connections = [await engine.connect() for _ in range(pool.checkedin())]
    settings = [await connection.scalar(asked) for connection in connections]
    for connection in connections:
        await connection.close()
    await engine.dispose()

    assert len(settings) >= 2
    assert {"Asia/Tokyo 3s"} == set(settings)
