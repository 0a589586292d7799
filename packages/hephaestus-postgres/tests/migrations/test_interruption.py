"""A migration that ended before its end is taken up, wherever that was."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.errors import StorageUnavailable
from hephaestus_postgres.migrations import Migration
from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.tables import Tables
from migrations.catalogue import catalogue, tables_in
from migrations.later import ADDED, LATER

LATEST = len(LATER)
UP, DOWN = (0, LATEST), (LATEST, 0)


def statements(tables: Tables, start: int, target: int) -> list[str]:
    changes = Plan(tables, LATER).changes(start, target)
    return [statement for change in changes for statement in change.statements]


def prefixes(start: int, target: int) -> range:
    return range(len(statements(Tables.named(), start, target)) + 1)


async def run_one_by_one(engine: AsyncEngine, given: list[str]) -> None:
    for statement in given:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(statement)


@pytest.mark.parametrize("count", prefixes(*UP))
async def test_a_way_up_is_taken_up_after_each_statement(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, count: int
) -> None:
    migrator = Migrator(engine, tables, migrations=LATER)
    await migrator.migrate()
    whole = await catalogue(engine, postgres_schema)
    await migrator.migrate(0)
    await run_one_by_one(engine, statements(tables, *UP)[:count])

    await migrator.migrate()

    assert whole == await catalogue(engine, postgres_schema)


@pytest.mark.parametrize("count", prefixes(*DOWN))
async def test_a_way_down_is_taken_up_after_each_statement(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, count: int
) -> None:
    migrator = Migrator(engine, tables, migrations=LATER)
    await migrator.migrate()
    await run_one_by_one(engine, statements(tables, *DOWN)[:count])

    await migrator.migrate(0)

    assert set() == await tables_in(engine, postgres_schema)


@pytest.mark.parametrize("count", prefixes(1, 0))
async def test_a_way_down_that_was_interrupted_can_be_turned_back(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, count: int
) -> None:
    migrator = Migrator(engine, tables)
    await migrator.migrate()
    whole = await catalogue(engine, postgres_schema)
    await run_one_by_one(engine, statements(tables, 1, 0)[:count])

    await migrator.migrate()

    assert whole == await catalogue(engine, postgres_schema)


async def test_a_step_that_fails_leaves_nothing_and_keeps_those_before_it(
    engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    broken = Migration(ADDED.number, (*ADDED.up, "TABLE nowhere"), ADDED.down)
    await Migrator(engine, tables).migrate()
    before = await catalogue(engine, postgres_schema)
    await Migrator(engine, tables).migrate(0)

    with pytest.raises(StorageUnavailable, match='"nowhere" does not exist'):
        await Migrator(engine, tables, migrations=(*LATER[:-1], broken)).migrate()

    assert before == await catalogue(engine, postgres_schema)


@pytest.mark.parametrize("target", [0, LATEST])
async def test_every_statement_can_be_repeated(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, target: int
) -> None:
    migrator = Migrator(engine, tables, migrations=LATER)
    await migrator.migrate(LATEST - target)
    once = statements(tables, LATEST - target, target)
    twice = [again for statement in once for again in (statement, statement)]

    await run_one_by_one(engine, twice)

    assert target == await migrator.version()
