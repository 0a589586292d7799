"""What the server refuses for its own reasons is repeated, or says that it is unavailable."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import HephaestusError, StorageUnavailable
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Order
from hephaestus.testing.storage.samples import change, due, event, moved, new_run, store
from hephaestus_postgres import PostgresStorage

FULL = "53100"
DEADLOCK = "40P01"
SERIALIZATION = "40001"


async def refuse(connection: AsyncConnection, schema: str, state: str, times: int) -> None:
    """Let the server refuse the next changes of runs, so many times; a rollback counts, too."""
    await connection.exec_driver_sql(
        f"""
        CREATE SEQUENCE {schema}.refusals;
        """
    )
    await connection.exec_driver_sql(
        f"""
        CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('{schema}.refusals') <= {times} THEN
                RAISE EXCEPTION 'no space left on device' USING ERRCODE = '{state}';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    await connection.exec_driver_sql(
        f"""
        CREATE TRIGGER refuses BEFORE INSERT OR UPDATE ON {schema}.workflow_instances
        FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse()
        """
    )


async def test_a_full_disk_is_unavailable_to_every_verb_that_writes(
    opened: PostgresStorage, engine: AsyncEngine, postgres_schema: str
) -> None:
    run = await store(opened, new_run())
    async with engine.begin() as connection:
        await refuse(connection, postgres_schema, FULL, 1000)

    for write in (
        opened.create(change(new_run("orderid::2"))),
        opened.commit(change(moved(run))),
        opened.put(new_run("orderid::3")),
        due(opened),
    ):
        with pytest.raises(StorageUnavailable, match="no space left on device"):
            await write


async def test_a_runner_goes_on_when_the_disk_has_room_again(
    opened: PostgresStorage, engine: AsyncEngine, postgres_schema: str, stage: Stage
) -> None:
    stage.direct("charge", lambda _: stage.reached("disk is full"))
    async with Hephaestus(opened, LocalRunner(poll=0.05)):
        order = await Order.start("1", stage.initial())
        await stage.reached("charge")
        async with engine.begin() as connection:
            await refuse(connection, postgres_schema, FULL, 10)

        stage.mark("disk is full")
        instance = await order.wait(PATIENCE)

    assert "completed" == instance.status
    assert 1 == stage.count("charge")


@pytest.mark.parametrize("state", [DEADLOCK, SERIALIZATION])
async def test_what_a_deadlock_or_a_serialization_failure_ended_is_repeated(
    opened: PostgresStorage, engine: AsyncEngine, postgres_schema: str, state: str
) -> None:
    run = await store(opened, new_run())
    async with engine.begin() as connection:
        await refuse(connection, postgres_schema, state, 1)

    await opened.commit(change(moved(run)))

    assert 2 == (await opened.get(run.run_id)).revision


@pytest.mark.parametrize("state", [DEADLOCK, SERIALIZATION])
async def test_a_conflict_that_stays_is_unavailable_to_every_verb(
    opened: PostgresStorage, engine: AsyncEngine, postgres_schema: str, state: str
) -> None:
    run = await store(opened, new_run())
    async with engine.begin() as connection:
        await refuse(connection, postgres_schema, state, 1000)

    for write in (
        opened.create(change(new_run("orderid::2"))),
        opened.commit(change(moved(run))),
        opened.put(new_run("orderid::3")),
        due(opened),
    ):
        with pytest.raises(HephaestusError) as caught:
            await write
        assert StorageUnavailable is type(caught.value)


async def test_who_locks_runs_the_other_way_round_fails_no_message(
    opened: PostgresStorage, engine: AsyncEngine
) -> None:
    first, second = sorted(
        [await store(opened, new_run("orderid::1")), await store(opened, new_run("orderid::2"))],
        key=lambda run: run.run_id,
    )
    table = opened.tables.instances

    async with engine.begin() as connection:
        # Where the batch holds the first, it gives up the second before this is a deadlock.
        await connection.execute(
            table.select().where(table.c.run_id == second.run_id).with_for_update()
        )
        posts = [asyncio.create_task(opened.post(event(run))) for run in (first, second)]
        await asyncio.sleep(0)
        await connection.execute(
            table.select().where(table.c.run_id == first.run_id).with_for_update()
        )

    assert [True, True] == await asyncio.gather(*posts)
