"""From code: up and down to a version, and what is refused."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus.errors import InvalidArgument, SchemaOutdated, StorageUnavailable
from hephaestus_postgres.migrations import MIGRATIONS
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import catalogue, tables_in
from migrations.later import LATER

ALL = {"workflow_instances", "workflow_entries", "workflow_inbox"}


async def run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


def test_the_steps_are_numbered_from_1_up_to_the_version_of_the_models() -> None:
    numbers = [migration.number for migration in MIGRATIONS]

    assert list(range(1, VERSION + 1)) == numbers


async def test_an_empty_schema_is_at_version_0(migrator: Migrator) -> None:
    assert 0 == await migrator.version()


async def test_a_missing_schema_is_at_version_0(engine: AsyncEngine) -> None:
    migrator = Migrator(engine, Tables.named(schema="nowhere"))

    assert 0 == await migrator.version()


async def test_migrating_leads_to_the_latest_version(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()

    assert VERSION == await migrator.version()
    assert ALL == await tables_in(engine, postgres_schema)


async def test_the_version_is_in_the_comment_of_the_table(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()

    comments = (await catalogue(engine, postgres_schema))["comments"]
    assert ("workflow_instances", f"hephaestus schema {VERSION}") in comments


async def test_migrating_again_changes_nothing(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()
    before = await catalogue(engine, postgres_schema)

    await migrator.migrate()
    await migrator.migrate(VERSION)

    assert before == await catalogue(engine, postgres_schema)


async def test_version_0_drops_all(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()

    await migrator.migrate(0)

    assert set() == await tables_in(engine, postgres_schema)
    assert 0 == await migrator.version()


async def test_going_down_where_nothing_is_succeeds(migrator: Migrator) -> None:
    await migrator.migrate(0)
    await migrator.migrate(0)

    assert 0 == await migrator.version()


async def test_up_applies_only_what_is_missing_and_keeps_the_rows(
    engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    await Migrator(engine, tables, migrations=LATER).migrate(1)
    await run(
        engine,
        f"INSERT INTO {postgres_schema}.workflow_instances (run_id, id, workflow, created_at)"
        f" VALUES ('run-1', 'order::1', 'shop.Order', now())",
    )

    await Migrator(engine, tables, migrations=LATER).migrate()

    async with engine.connect() as connection:
        found = await connection.execute(
            text(f"SELECT run_id, note FROM {postgres_schema}.workflow_instances")
        )
        assert [("run-1", None)] == [tuple(row) for row in found]


async def test_down_to_a_version_takes_back_only_what_is_above_it(
    engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    later = Migrator(engine, tables, migrations=LATER)
    await later.migrate(1)
    first = await catalogue(engine, postgres_schema)
    await later.migrate()

    await later.migrate(1)

    assert first == await catalogue(engine, postgres_schema)


async def test_several_steps_are_taken_in_one_call_both_ways(
    engine: AsyncEngine, postgres_schema: str, tables: Tables
) -> None:
    later = Migrator(engine, tables, migrations=LATER)

    await later.migrate()
    up = await later.version()
    await later.migrate(0)

    assert len(LATER) == up
    assert set() == await tables_in(engine, postgres_schema)


@pytest.mark.parametrize("version", [-1, VERSION + 1, True, "1", 1.0])
async def test_what_is_no_version_is_refused(migrator: Migrator, version: int) -> None:
    with pytest.raises(InvalidArgument, match="whole number from 0"):
        await migrator.migrate(version)


async def test_the_schema_itself_is_not_created(engine: AsyncEngine) -> None:
    migrator = Migrator(engine, Tables.named(schema="nowhere"))

    with pytest.raises(InvalidArgument, match="no schema 'nowhere'; create it first"):
        await migrator.migrate()
    with pytest.raises(InvalidArgument, match="no schema 'nowhere'"):
        await migrator.check()


@pytest.mark.parametrize("schema", ["Shop", "shop\n", "shop; DROP TABLE x", "1shop", "", "é"])
def test_a_schema_that_is_no_lower_case_identifier_is_refused(schema: str) -> None:
    with pytest.raises(InvalidArgument, match="lower-case"):
        Tables.named(schema=schema)


async def test_the_tables_may_bear_names_of_your_own(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    names = TableNames("runs", "order", "user")  # two are words of SQL
    migrator = Migrator(engine, Tables.named(names, postgres_schema))

    await migrator.migrate()

    await migrator.check()
    assert {"runs", "order", "user"} == await tables_in(engine, postgres_schema)


async def test_two_sets_of_tables_in_one_schema_have_versions_of_their_own(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    names = TableNames("runs", "lines", "messages")
    one = Migrator(engine, Tables.named(schema=postgres_schema))
    other = Migrator(engine, Tables.named(names, postgres_schema))
    await other.migrate()
    await one.migrate()

    await one.migrate(0)

    assert (0, VERSION) == (await one.version(), await other.version())
    assert set(names) == await tables_in(engine, postgres_schema)


async def test_names_are_taken_to_their_full_length(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    names = TableNames("a" * 40, "b" * 40, "c" * 40)
    migrator = Migrator(engine, Tables.named(names, postgres_schema))

    await migrator.migrate()
    await migrator.migrate()

    await migrator.check()


async def test_without_a_schema_the_search_path_decides(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str
) -> None:
    there = on_path(postgres_url, postgres_schema)
    migrator = Migrator(there, Tables.named())

    await migrator.migrate()

    assert VERSION == await Migrator(engine, Tables.named(schema=postgres_schema)).version()
    assert 0 == await Migrator(engine, Tables.named(schema="public")).version()


async def test_tables_that_the_search_path_leads_to_are_not_made_a_second_time(
    postgres_url: str, engine: AsyncEngine, postgres_schema: str
) -> None:
    empty = f"{postgres_schema}_empty"
    await run(engine, f"CREATE SCHEMA {empty}")
    await Migrator(engine, Tables.named(schema=postgres_schema)).migrate()
    await run(engine, f"COMMENT ON TABLE {postgres_schema}.workflow_instances IS NULL")
    migrator = Migrator(on_path(postgres_url, empty, postgres_schema), Tables.named())

    await migrator.migrate()

    assert set() == await tables_in(engine, empty)
    assert VERSION == await migrator.version()
    await run(engine, f"DROP SCHEMA {empty} CASCADE")


async def test_a_search_path_to_nowhere_is_a_clear_error(postgres_url: str) -> None:
    migrator = Migrator(on_path(postgres_url, "nowhere"), Tables.named())

    with pytest.raises(InvalidArgument, match="no schema on the search path"):
        await migrator.migrate()


async def test_a_lost_comment_is_repaired(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await migrator.migrate()
    whole = await catalogue(engine, postgres_schema)
    await run(engine, f"COMMENT ON TABLE {postgres_schema}.workflow_instances IS NULL")
    lost = await migrator.version()

    await migrator.migrate()

    assert 0 == lost
    assert whole == await catalogue(engine, postgres_schema)


@pytest.mark.parametrize("table", sorted(ALL))
async def test_a_lost_table_is_repaired(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, table: str
) -> None:
    await migrator.migrate()
    whole = await catalogue(engine, postgres_schema)
    await run(engine, f"DROP TABLE {postgres_schema}.{table}")
    lost = await migrator.version()

    await migrator.migrate()

    assert 0 == lost
    assert whole == await catalogue(engine, postgres_schema)


@pytest.mark.parametrize("said", ["orders of the shop", "3", "hephaestus schema x", "it's 100%"])
async def test_a_comment_of_somebody_else_is_told_and_left_alone(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, said: str
) -> None:
    name = f"{postgres_schema}.workflow_instances"
    quoted = said.replace("'", "''")
    await run(engine, f"CREATE TABLE {name} ()", f"COMMENT ON TABLE {name} IS '{quoted}'")

    for verb in (migrator.version, migrator.check, migrator.migrate):
        with pytest.raises(InvalidArgument, match="none of ours") as caught:
            await verb()

    assert repr(said) in str(caught.value)
    assert [("workflow_instances", said)] == (await catalogue(engine, postgres_schema))["comments"]


async def test_the_right_schema_passes(migrator: Migrator) -> None:
    await migrator.migrate()

    await migrator.check()


async def test_a_schema_that_is_too_old_names_the_command(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    tables = Tables.named(TableNames(inbox="letters"), postgres_schema)
    await Migrator(engine, tables).migrate()

    with pytest.raises(SchemaOutdated) as caught:
        await Migrator(engine, tables, migrations=LATER).check()

    assert (VERSION, VERSION + 1) == (caught.value.found, caught.value.needed)
    names = f"--schema {postgres_schema} --inbox letters"
    assert caught.value.remedy.startswith("run `hephaestus migrate`")
    assert caught.value.remedy.endswith(
        f"`python -m hephaestus_postgres migrate {names} --url URL`"
    )


async def test_a_schema_that_is_missing_names_the_command(migrator: Migrator) -> None:
    with pytest.raises(SchemaOutdated, match=r"at version 0 .* hephaestus_postgres migrate"):
        await migrator.check()


async def test_a_schema_that_is_too_new_names_the_package_and_the_way_back(
    engine: AsyncEngine, tables: Tables, migrator: Migrator
) -> None:
    await Migrator(engine, tables, migrations=LATER).migrate()

    with pytest.raises(SchemaOutdated) as caught:
        await migrator.check()

    assert (VERSION + 1, VERSION) == (caught.value.found, caught.value.needed)
    assert "upgrade the package hephaestus-postgres" in caught.value.remedy
    assert f"--to {VERSION}`" in caught.value.remedy


async def test_up_leaves_a_newer_schema_alone(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, migrator: Migrator
) -> None:
    await Migrator(engine, tables, migrations=LATER).migrate()
    newer = await catalogue(engine, postgres_schema)

    await migrator.migrate()

    assert newer == await catalogue(engine, postgres_schema)


@pytest.mark.parametrize("version", [0, VERSION])
async def test_a_newer_schema_cannot_be_led_back_by_older_code(
    engine: AsyncEngine, postgres_schema: str, tables: Tables, migrator: Migrator, version: int
) -> None:
    await Migrator(engine, tables, migrations=LATER).migrate()
    newer = await catalogue(engine, postgres_schema)

    with pytest.raises(SchemaOutdated):
        await migrator.migrate(version)

    assert newer == await catalogue(engine, postgres_schema)


async def test_something_else_under_one_of_the_names_is_told(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator
) -> None:
    await run(engine, f"CREATE VIEW {postgres_schema}.workflow_entries AS SELECT 1")

    with pytest.raises(StorageUnavailable, match="left a table missing"):
        await migrator.migrate()

    assert set() == await tables_in(engine, postgres_schema)


def test_tables_in_several_schemas_are_refused(engine: AsyncEngine) -> None:
    here, there = Tables.named(schema="here"), Tables.named(schema="there")

    with pytest.raises(InvalidArgument, match=r"one schema, got 'here\.workflow_instances'"):
        Migrator(engine, here._replace(inbox=there.inbox))


async def test_a_database_out_of_reach_is_an_error_of_ours() -> None:
    engine = create_async_engine("postgresql+asyncpg://127.0.0.1:1/none", poolclass=NullPool)
    migrator = Migrator(engine, Tables.named())

    for verb in (migrator.version, migrator.check, migrator.migrate):
        with pytest.raises(StorageUnavailable):
            await verb()


def on_path(url: str, *schemas: str) -> AsyncEngine:
    return create_async_engine(
        url,
        poolclass=NullPool,
        connect_args={"server_settings": {"search_path": ", ".join(schemas)}},
    )
