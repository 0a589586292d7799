"""A storage on a schema of its own, for each test."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hephaestus_postgres import PostgresStorage


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """Return an engine of the application's."""
    engine = create_async_engine(postgres_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def opened(engine: AsyncEngine, postgres_schema: str) -> AsyncIterator[PostgresStorage]:
    """Return a storage that is open and empty."""
    storage = PostgresStorage(engine, schema=postgres_schema)
    await storage.migrate()
    await storage.open()
    yield storage
    await storage.close()
