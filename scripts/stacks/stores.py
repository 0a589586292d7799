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
    """Give a storage on tables that no other test uses at the same time."""
    url, schema = (request.getfixturevalue(name) for name in ("postgres_url", "empty_schema"))
    engine = create_async_engine(url)
    yield PostgresStorage(engine, schema=schema)
    await engine.dispose()


@asynccontextmanager
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Give a storage on a namespace of its own."""
    url, namespace = (request.getfixturevalue(f"redis_{name}") for name in ("url", "namespace"))
    yield RedisStorage(url, namespace=namespace)
