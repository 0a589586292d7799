"""Transactional steps on engines of every isolation level, and bodies that end transactions."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from hephaestus import Done, Fatal, Hephaestus, LocalRunner, StepContext, Workflow, step
from hephaestus_postgres import PostgresStorage

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"]


async def insert(session: AsyncSession, table: str, key: str) -> None:
    await session.execute(text(f"INSERT INTO {table} VALUES (:key)"), {"key": key})


@step(transactional=True)
async def end_often(ctx: StepContext) -> None:
    table = ctx.initial["table"]
    await insert(ctx.session, table, "committed")
    await ctx.session.commit()
    await insert(ctx.session, table, "rolled back")
    await ctx.session.rollback()
    await insert(ctx.session, table, "left open")
    if ctx.initial.get("fails"):
        raise Fatal("after all")


class Endings(Workflow, unique="endings"):
    start_step = end_often
    transitions = {end_often: {"done": Done}}


@step(transactional=True)
async def add_one(ctx: StepContext) -> None:
    table = ctx.initial["table"]
    seen = await ctx.session.scalar(text(f"SELECT count(*) FROM {table}"))
    await insert(ctx.session, table, str(seen))


class Adding(Workflow, unique="adding"):
    start_step = add_one
    transitions = {add_one: {"done": Done}}


@pytest.fixture(params=LEVELS)
async def levelled(postgres_url: str, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """Return an engine of the application's, at each level."""
    engine = create_async_engine(postgres_url, isolation_level=request.param)
    yield engine
    await engine.dispose()


async def keys(engine: AsyncEngine, table: str) -> list[str]:
    async with engine.connect() as connection:
        found = await connection.execute(text(f"SELECT key FROM {table} ORDER BY key"))
        return [row.key for row in found]


def app_on(engine: AsyncEngine, schema: str) -> Hephaestus:
    return Hephaestus(PostgresStorage(engine, schema=schema), LocalRunner(poll=0.05))


async def test_what_a_body_commits_becomes_durable_with_its_outcome(
    levelled: AsyncEngine, effects: str, postgres_schema: str
) -> None:
    async with app_on(levelled, postgres_schema):
        run = await Endings.start("1", {"table": effects})
        instance = await run.wait(10)

    assert "completed" == instance.status
    assert ["committed", "left open"] == await keys(levelled, effects)


async def test_what_a_body_committed_is_undone_where_it_fails(
    levelled: AsyncEngine, effects: str, postgres_schema: str
) -> None:
    async with app_on(levelled, postgres_schema):
        run = await Endings.start("1", {"table": effects, "fails": True})
        instance = await run.wait(10)

    assert "failed" == instance.status
    assert [] == await keys(levelled, effects)


async def test_steps_that_meet_each_other_end_once_each(
    levelled: AsyncEngine, effects: str, postgres_schema: str
) -> None:
    async with app_on(levelled, postgres_schema):
        runs = [await Adding.start(str(number), {"table": effects}) for number in range(4)]
        instances = [await run.wait(15) for run in runs]

    completed = [instance for instance in instances if instance.status == "completed"]
    assert len(completed) == len(await keys(levelled, effects)) > 0
    for instance in instances:
        if instance.status == "failed":
            assert instance.error is not None
            assert "TransactionConflict" == instance.error.type
