"""Connections that are cut are replaced, or the storage says that it is unavailable."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import StorageUnavailable
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Order
from hephaestus.testing.storage.samples import change, commit, due, event, moved, new_run, store
from hephaestus_postgres import PostgresStorage
from servers.server import Server

CUT = text(
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    " AND backend_type = 'client backend'"
)


async def cut_all(engine: AsyncEngine) -> int:
    """Cut every other connection of the database, on one of its own."""
    other = create_async_engine(engine.url)
    async with other.connect() as connection:
        cut = await connection.scalar(CUT)
    await other.dispose()
    return int(cut)


async def fill(engine: AsyncEngine, size: int) -> None:
    """Leave so many connections in the pool."""
    connections = [await engine.connect() for _ in range(size)]
    for connection in connections:
        await connection.close()


async def test_the_verbs_of_a_runner_survive_a_pool_of_dead_connections(
    own_engine: AsyncEngine, own_storage: PostgresStorage
) -> None:
    await own_storage.open()
    run = await store(own_storage, new_run())
    await fill(own_engine, 5)

    await cut_all(own_engine)
    await commit(own_storage, moved(run))
    await own_storage.post(event(run))
    loaded = await own_storage.load(run.run_id)
    await store(own_storage, new_run("orderid::2"))
    taken = await due(own_storage)

    assert (2, 1) == (loaded.instance.revision, len(loaded.inbox))
    assert [run.run_id] == taken
    await own_storage.close()


async def test_a_query_on_a_dead_connection_fails_clearly_and_the_next_does_not(
    own_engine: AsyncEngine, own_storage: PostgresStorage
) -> None:
    await own_storage.open()
    await fill(own_engine, 5)

    await cut_all(own_engine)
    with suppress(StorageUnavailable):
        await own_storage.query()

    assert [] == await own_storage.query()
    await own_storage.close()


async def test_runs_go_on_while_all_connections_are_cut_again_and_again(
    own_engine: AsyncEngine, own_storage: PostgresStorage, stage: Stage
) -> None:
    async with Hephaestus(own_storage, LocalRunner(lease=1, poll=0.05)) as app:
        for number in range(20):
            with suppress(StorageUnavailable):
                await Order.start(str(number), stage.initial())
            await cut_all(own_engine)

        async def all_over() -> bool:
            with suppress(StorageUnavailable):
                return not await app.count(status_in=["pending", "running", "waiting"])
            return False

        await eventually(all_over)


async def test_a_statement_that_takes_too_long_says_so(
    own_engine: AsyncEngine, own_storage: PostgresStorage
) -> None:
    await own_storage.open()
    run = await store(own_storage, new_run())
    await own_storage.close()
    other = create_async_engine(own_engine.url)
    async with other.connect() as holder:
        await holder.execute(text("ALTER ROLE postgres SET statement_timeout = '500ms'"))
        await holder.commit()
        await holder.execute(own_storage.tables.instances.select().with_for_update())
        await own_engine.dispose()
        await own_storage.open()

        with pytest.raises(StorageUnavailable, match="timeout"):
            await own_storage.commit(change(moved(run)))

        await holder.execute(text("ALTER ROLE postgres RESET statement_timeout"))
        await holder.commit()
    await own_storage.close()
    await own_engine.dispose()

    await own_storage.open()
    await own_storage.commit(change(moved(run)))
    await own_storage.close()
    await other.dispose()


async def test_an_app_waits_for_a_server_that_is_stopped_and_goes_on_by_itself(
    own_postgres_server: Server, own_storage: PostgresStorage, stage: Stage
) -> None:
    stage.direct("charge", lambda _: stage.reached("is back"))
    async with Hephaestus(own_storage, LocalRunner(lease=1, poll=0.05)):
        order = await Order.start("1", stage.initial())
        await stage.reached("charge")

        await asyncio.to_thread(own_postgres_server.stop)
        stage.mark("is back")
        with pytest.raises(StorageUnavailable):
            await Order.start("2", stage.initial())
        await asyncio.to_thread(own_postgres_server.start)
        instance = await order.wait(PATIENCE)

    assert "completed" == instance.status


async def test_what_a_step_raises_is_not_hidden_by_the_connection_that_it_lost(
    own_engine: AsyncEngine, own_storage: PostgresStorage
) -> None:
    async def cut_while_at_work(own: BaseException) -> None:
        async with own_storage.transaction("any") as transaction:
            await transaction.session.scalar(text("SELECT 1"))
            await cut_all(own_engine)
            raise own

    for own in (ValueError("the step's own"), asyncio.CancelledError()):
        with pytest.raises(type(own)) as caught:
            await cut_while_at_work(own)

        assert caught.value is own


async def test_a_session_that_gets_no_connection_makes_the_storage_unavailable(
    own_storage: PostgresStorage,
) -> None:
    await own_storage.open()
    nowhere = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    async with AsyncSession(nowhere) as session:
        with pytest.raises(StorageUnavailable):
            await own_storage.create(change(new_run()), session=session)
    await own_storage.close()
