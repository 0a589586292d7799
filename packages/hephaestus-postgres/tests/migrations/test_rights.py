"""A role that may change rows but no tables can do all but migrate."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Table, delete, insert, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus.errors import SchemaOutdated, StorageUnavailable
from hephaestus_postgres import PostgresStorage
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import Tables
from migrations.order import COMPLETED, run_through


@pytest.fixture
async def humble(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str
) -> AsyncIterator[AsyncEngine]:
    """Return an engine of a role that may use the schema and change the rows of its tables."""
    role = f"role_{postgres_schema}"
    async with engine.begin() as connection:
        rights, schema = "SELECT, INSERT, UPDATE, DELETE", postgres_schema
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD 'humble'",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rights} ON TABLES TO {role}",
        ):
            await connection.exec_driver_sql(statement)
    url = make_url(postgres_url).set(username=role, password="humble")
    yield create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP OWNED BY {role}")
        await connection.exec_driver_sql(f"DROP ROLE {role}")


async def test_it_can_tell_the_version_and_check_it(
    humble: AsyncEngine, migrator: Migrator, tables: Tables
) -> None:
    await migrator.migrate()

    await Migrator(humble, tables).check()

    assert VERSION == await Migrator(humble, tables).version()


async def test_it_hears_that_the_schema_is_missing(humble: AsyncEngine, tables: Tables) -> None:
    with pytest.raises(SchemaOutdated):
        await Migrator(humble, tables).check()


async def test_it_may_migrate_where_there_is_nothing_to_do(
    humble: AsyncEngine, migrator: Migrator, tables: Tables
) -> None:
    await migrator.migrate()

    await Migrator(humble, tables).migrate()


@pytest.mark.parametrize(("first", "then"), [(0, VERSION), (VERSION, 0)])
async def test_it_is_told_that_it_may_not_migrate(
    humble: AsyncEngine, migrator: Migrator, tables: Tables, first: int, then: int
) -> None:
    await migrator.migrate(first)

    with pytest.raises(StorageUnavailable, match=r"permission denied|must be owner"):
        await Migrator(humble, tables).migrate(then)

    assert first == await migrator.version()


async def test_it_can_write_read_change_and_delete_rows_of_every_table(
    humble: AsyncEngine, migrator: Migrator, tables: Tables
) -> None:
    await migrator.migrate()
    now = datetime.now(UTC)
    rows: dict[Table, dict[str, object]] = {
        tables.instances: {"run_id": "1", "id": "o::1", "workflow": "Order", "created_at": now},
        tables.entries: {"run_id": "1", "id": "e", "action": "completed", "timestamp": now},
        tables.inbox: {"run_id": "1", "id": "m", "dedup_key": "k"},
    }

    async with humble.begin() as connection:
        for table, row in rows.items():
            await connection.execute(insert(table), row)
            await connection.execute(update(table).values(run_id="2"))
            assert ["2"] == list(await connection.scalars(select(table.c.run_id)))
            await connection.execute(delete(table))
            assert [] == list(await connection.scalars(select(table.c.run_id)))


async def test_it_can_run_a_workflow_to_its_end(
    humble: AsyncEngine, migrator: Migrator, postgres_schema: str
) -> None:
    await migrator.migrate()

    completed = await run_through(PostgresStorage(humble, schema=postgres_schema))

    assert COMPLETED == completed
