"""The storages that the tests run on, each empty for every test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from hephaestus.storage import Storage
from hephaestus_postgres import PostgresStorage
from hephaestus_redis import RedisStorage


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Give a storage on a schema of its own."""
    url, schema = (request.getfixturevalue(f"postgres_{name}") for name in ("url", "schema"))
    engine = create_async_engine(url)
    storage = PostgresStorage(engine, schema=schema)
    await storage.migrate()
    yield storage
    await engine.dispose()


@asynccontextmanager
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Give a storage on a namespace of its own."""
    url, namespace = (request.getfixturevalue(f"redis_{name}") for name in ("url", "namespace"))
    yield RedisStorage(url, namespace=namespace)
