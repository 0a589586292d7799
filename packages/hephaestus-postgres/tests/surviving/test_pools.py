"""How many connections a storage needs, and what it does without them."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import StorageUnavailable
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Export, Order
from hephaestus.testing.storage.samples import change, new_run
from hephaestus_postgres import PostgresStorage


async def test_without_a_free_connection_the_storage_is_unavailable(
    postgres_url: str, postgres_schema: str
) -> None:
    engine = create_async_engine(postgres_url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    await storage.open()

    async with engine.connect():
        for verb in (storage.create(change(new_run())), storage.query(), storage.get("01a")):
            with pytest.raises(StorageUnavailable, match="no connection came free in time"):
                await verb

    assert [] == await storage.query()
    await storage.close()
    await engine.dispose()


async def test_a_runner_goes_on_when_the_application_gives_its_connections_back(
    postgres_url: str, postgres_schema: str, stage: Stage
) -> None:
    engine = create_async_engine(postgres_url, pool_size=3, max_overflow=0, pool_timeout=0.1)
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    stage.direct("charge", lambda _: stage.reached("none is left"))
    async with Hephaestus(storage, LocalRunner(poll=0.05)):
        order = await Order.start("1", stage.initial())
        await stage.reached("charge")
        held = await _all_connections(engine)

        stage.mark("none is left")
        with pytest.raises(StorageUnavailable):
            await order.get()
        for connection in held:
            await connection.close()
        instance = await order.wait(PATIENCE)

    assert "completed" == instance.status
    assert 1 == stage.count("charge")
    await engine.dispose()


@pytest.mark.parametrize("size", [1, 2])
async def test_an_app_runs_on_a_pool_that_is_small(
    postgres_url: str, postgres_schema: str, stage: Stage, size: int
) -> None:
    engine = create_async_engine(postgres_url, pool_size=size, max_overflow=0, pool_timeout=5)
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    async with Hephaestus(storage, LocalRunner(poll=0.05)):
        handles = [await Export.start(str(number), stage.initial()) for number in range(3)]
        handles += [await Order.start(str(number), stage.initial()) for number in range(20)]
        instances = await asyncio.gather(*(handle.wait(PATIENCE) for handle in handles))

    assert ["completed"] * 23 == [instance.status for instance in instances]
    await engine.dispose()


async def test_an_app_runs_without_a_pool(
    postgres_url: str, postgres_schema: str, stage: Stage
) -> None:
    engine = create_async_engine(postgres_url, poolclass=NullPool)
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    async with Hephaestus(storage, LocalRunner(poll=0.05)):
        handles = [await Order.start(str(number), stage.initial()) for number in range(20)]
        instances = await asyncio.gather(*(handle.wait(PATIENCE) for handle in handles))

    assert ["completed"] * 20 == [instance.status for instance in instances]


async def _all_connections(engine: AsyncEngine) -> list[AsyncConnection]:
    """Take every connection that comes free, until none is left."""
    held: list[AsyncConnection] = []
    async with asyncio.timeout(PATIENCE):
        while len(held) < 3:
            with suppress(PoolTimeout):
                held.append(await engine.connect())
    return held
