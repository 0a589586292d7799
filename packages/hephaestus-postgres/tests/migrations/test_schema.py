"""The migrated schema is the one that the models describe."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import catalogue

NAMES = [TableNames(), TableNames("runs", "order", "user")]


def differences(connection: Connection, tables: Tables) -> list[Any]:
    options = {"include_schemas": True, "compare_type": True, "compare_server_default": True}
    schemas = {tables.metadata.schema}

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "schema" or name in schemas

    context = MigrationContext.configure(connection, opts={**options, "include_name": include_name})
    return list(compare_metadata(context, tables.metadata))


@pytest.mark.parametrize("names", NAMES)
async def test_the_migrated_schema_equals_that_of_the_models(
    engine: AsyncEngine, postgres_schema: str, names: TableNames
) -> None:
    tables = Tables.named(names, postgres_schema)
    await Migrator(engine, tables).migrate()
    migrated = await catalogue(engine, postgres_schema)
    await Migrator(engine, tables).migrate(0)

    async with engine.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)

    assert migrated == await catalogue(engine, postgres_schema)
    assert set(names) == {table for table, _ in migrated["comments"]}


@pytest.mark.parametrize("names", NAMES)
async def test_alembic_finds_no_difference_between_them(
    engine: AsyncEngine, postgres_schema: str, names: TableNames
) -> None:
    tables = Tables.named(names, postgres_schema)
    await Migrator(engine, tables).migrate()

    async with engine.connect() as connection:
        assert [] == await connection.run_sync(differences, tables)


async def test_alembic_finds_a_difference_where_there_is_one(
    engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    await Migrator(engine, tables).migrate()

    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP INDEX {postgres_schema}.workflow_instances_due_idx")

        assert ["add_index"] == [one[0] for one in await connection.run_sync(differences, tables)]


async def test_the_database_itself_has_a_new_run_pending_at_version_1(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()

    async with engine.begin() as connection:
        row = await connection.exec_driver_sql(
            f"INSERT INTO {postgres_schema}.workflow_instances (run_id, id, workflow, created_at)"
            f" VALUES ('run-1', repeat('x', 10000), 'shop.Order', now())"
            f" RETURNING status, workflow_version, revision"
        )

        assert ("pending", 1, 0) == tuple(row.one())
