"""Several that migrate one schema at a time take turns."""

import asyncio
import sys

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import TableNames, Tables
from migrations.later import LATER

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"]


async def waiting(connection: AsyncConnection) -> None:
    """Return as soon as somebody waits for an advisory lock."""
    async with asyncio.timeout(30):
        while not await connection.scalar(
            text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        ):
            pass


def recorded(engine: AsyncEngine) -> list[str]:
    """Return a list to which every statement of the engine is added."""
    statements: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def record(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    return statements


@pytest.mark.parametrize("level", LEVELS)
async def test_the_second_waits_for_the_first_and_does_nothing(
    postgres_url: str, engine: AsyncEngine, tables: Tables, level: str
) -> None:
    second = create_async_engine(postgres_url, poolclass=NullPool, isolation_level=level)
    statements = recorded(second)
    async with engine.begin() as first:
        plan = Plan(tables)
        await first.exec_driver_sql(plan.lock)
        task = asyncio.create_task(Migrator(second, tables).migrate())
        await waiting(first)
        for statement in plan.changes(0, VERSION)[0].statements:
            await first.exec_driver_sql(statement)

    await task

    assert [plan.lock] == statements[:1]
    assert not [each for each in statements if each.startswith(("CREATE", "COMMENT"))]


async def test_of_many_at_once_each_step_is_taken_by_one(postgres_url: str, tables: Tables) -> None:
    engines = [create_async_engine(postgres_url, poolclass=NullPool) for _ in range(8)]
    statements = [recorded(engine) for engine in engines]
    migrators = [Migrator(engine, tables, migrations=LATER) for engine in engines]

    await asyncio.gather(*(migrator.migrate() for migrator in migrators))

    taken = [each for of_one in statements for each in of_one if each.startswith("COMMENT")]
    assert len(LATER) == len(taken)
    assert {len(LATER)} == {await migrator.version() for migrator in migrators}


async def test_those_of_other_tables_or_schemas_do_not_wait(
    engine: AsyncEngine, tables: Tables, postgres_schema: str
) -> None:
    other = Tables.named(TableNames("runs", "lines", "messages"), postgres_schema)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(Plan(tables).lock)

        async with asyncio.timeout(30):
            await Migrator(engine, other).migrate()

        assert VERSION == await Migrator(engine, other).version()


async def test_with_and_without_the_schema_s_name_the_turn_is_the_same(
    engine: AsyncEngine, postgres_url: str, tables: Tables, postgres_schema: str
) -> None:
    by_path = create_async_engine(
        postgres_url,
        poolclass=NullPool,
        connect_args={"server_settings": {"search_path": postgres_schema}},
    )
    async with engine.begin() as connection:
        await connection.exec_driver_sql(Plan(tables).lock)
        task = asyncio.create_task(Migrator(by_path, Tables.named()).migrate())
        await waiting(connection)

    await task

    assert VERSION == await Migrator(engine, tables).version()


async def test_processes_take_turns(
    postgres_url: str, postgres_schema: str, migrator: Migrator
) -> None:
    command = [sys.executable, "-m", "hephaestus_postgres", "migrate", "--schema", postgres_schema]
    processes = [
        await asyncio.create_subprocess_exec(
            *command, "--url", postgres_url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]

    answers = [(await process.communicate())[0] for process in processes]

    assert [f"the schema is at version {VERSION}\n".encode()] * 2 == answers
    assert VERSION == await migrator.version()
