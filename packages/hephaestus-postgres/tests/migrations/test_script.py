"""The migrations as plain SQL, for somebody who runs it by hand."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import catalogue, tables_in
from migrations.later import LATER


async def run(postgres_url: str, script: str, search_path: str = "public") -> None:
    """Run the whole text as psql would."""
    connection = await asyncpg.connect(
        postgres_url.replace("+asyncpg", ""), server_settings={"search_path": search_path}
    )
    try:
        await connection.execute(script)
    finally:
        await connection.close()


@pytest.mark.parametrize("names", [TableNames(), TableNames("runs", "order", "user")])
async def test_what_it_does_is_what_migrate_does(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str, names: TableNames
) -> None:
    migrator = Migrator(engine, Tables.named(names, postgres_schema), migrations=LATER)
    await migrator.migrate()
    migrated = await catalogue(engine, postgres_schema)
    await migrator.migrate(0)

    await run(postgres_url, migrator.script(0, len(LATER)))

    assert migrated == await catalogue(engine, postgres_schema)


async def test_it_leads_down_too(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    migrator = Migrator(engine, tables, migrations=LATER)
    await migrator.migrate(1)
    first = await catalogue(engine, postgres_schema)
    await migrator.migrate()

    await run(postgres_url, migrator.script(len(LATER), 1))
    second = await catalogue(engine, postgres_schema)
    await run(postgres_url, migrator.script(1, 0))

    assert first == second
    assert set() == await tables_in(engine, postgres_schema)


async def test_it_may_be_run_again(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await run(postgres_url, migrator.script(0, VERSION))
    once = await catalogue(engine, postgres_schema)

    await run(postgres_url, migrator.script(0, VERSION))

    assert once == await catalogue(engine, postgres_schema)


async def test_without_a_schema_it_follows_the_search_path(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    script = Plan(Tables.named()).script(0, VERSION)

    await run(postgres_url, script, search_path=postgres_schema)

    assert VERSION == await migrator.version()
    assert postgres_schema not in script


def test_each_step_is_one_transaction_that_ends_with_the_comment() -> None:
    script = Plan(Tables.named(), LATER).script(0, len(LATER))

    lines = script.splitlines()

    assert [len(LATER)] * 2 == [lines.count("BEGIN;"), lines.count("COMMIT;")]
    ends = [lines[at - 1] for at, line in enumerate(lines) if line == "COMMIT;"]
    assert [
        f"COMMENT ON TABLE workflow_instances IS 'hephaestus schema {migration.number}';"
        for migration in LATER
    ] == ends


def test_from_a_version_to_itself_it_is_empty() -> None:
    assert "" == Plan(Tables.named()).script(VERSION, VERSION)


@pytest.mark.parametrize(("start", "target"), [(-1, 1), (0, VERSION + 1), (VERSION + 1, 0)])
def test_it_refuses_what_is_no_version(start: int, target: int) -> None:
    with pytest.raises(InvalidArgument, match="whole number from 0"):
        Plan(Tables.named()).script(start, target)
