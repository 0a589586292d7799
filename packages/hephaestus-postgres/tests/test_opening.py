"""What a storage opens it closes again, also where the opening fails or is done twice at once."""

import asyncio
import traceback

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from hephaestus.errors import SchemaOutdated, StorageUnavailable
from hephaestus.testing.storage.samples import new_run, store
from hephaestus_postgres import PostgresStorage


def kept(engine: AsyncEngine) -> int:
    """Return how many connections of an engine are open."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedin() + pool.checkedout()


def test_a_storage_that_migrated_in_one_event_loop_serves_another(
    postgres_url: str, postgres_schema: str
) -> None:
    storage = PostgresStorage(postgres_url, schema=postgres_schema)
    asyncio.run(storage.migrate())

    async def used() -> int:
        await storage.open()
        await store(storage, new_run())
        count = await storage.count()
        await storage.close()
        return count

    assert 1 == asyncio.run(used())
    assert 2 == asyncio.run(used())


async def test_an_opening_that_fails_leaves_no_connection_and_can_be_repeated(
    postgres_url: str, postgres_schema: str
) -> None:
    storage = PostgresStorage(postgres_url, schema=postgres_schema)

    with pytest.raises(SchemaOutdated):
        await storage.open()
    left = kept(storage.engine)
    await storage.close()
    await storage.migrate()
    await storage.open()
    await store(storage, new_run())
    await storage.close()

    assert 0 == left
    assert 0 == kept(storage.engine)


async def test_two_openings_at_once_share_what_they_open(
    postgres_url: str, postgres_schema: str
) -> None:
    storage = PostgresStorage(postgres_url, schema=postgres_schema)
    await storage.migrate()

    async def opened_and_used() -> None:
        await storage.open()
        await store(storage, new_run())

    await asyncio.gather(*(opened_and_used() for _ in range(3)))
    for _ in range(3):
        await storage.close()

    assert 0 == kept(storage.engine)


async def test_a_database_that_is_away_is_told_in_few_lines(unused_tcp_port: int) -> None:
    storage = PostgresStorage(f"postgresql+asyncpg://shop@127.0.0.1:{unused_tcp_port}/shop")

    with pytest.raises(StorageUnavailable, match="ConnectionRefusedError") as caught:
        await storage.open()

    told = "".join(traceback.format_exception(caught.value))
    assert "sqlalchemy" not in told
    assert told.count("\n") < 30
