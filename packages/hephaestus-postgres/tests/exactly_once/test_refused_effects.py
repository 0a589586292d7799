"""What the database refuses at the end of a transaction is the failure of the step."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from exactly_once.booking import app_on
from hephaestus import Done, Retry, StepContext, Workflow, step


@step(transactional=True, retry=Retry(max_attempts=2, initial_delay=0.01))
async def add_orphan(ctx: StepContext) -> None:
    await ctx.session.execute(text(f"INSERT INTO {ctx.initial['table']} VALUES (1, 0)"))


class Orphans(Workflow, unique="orphans", name="exactly_once.Orphans"):
    start_step = add_orphan
    transitions = {add_orphan: {"done": Done}}


async def test_a_constraint_that_waits_for_commit_fails_the_attempt(
    engine: AsyncEngine, effects: str, postgres_schema: str
) -> None:
    table = f"{postgres_schema}.families"
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            f"CREATE TABLE {table} (id int PRIMARY KEY,"
            f" parent int REFERENCES {table} DEFERRABLE INITIALLY DEFERRED)"
        )

    async with app_on(engine, postgres_schema):
        run = await Orphans.start("1", {"table": table})
        instance = await run.wait(20)

    async with engine.connect() as connection:
        count = await connection.scalar(text(f"SELECT count(*) FROM {table}"))
    assert ("failed", 0) == (instance.status, count)
    assert instance.error is not None
    assert ("IntegrityError", 2) == (instance.error.type, instance.error.attempt)
