"""An engine, an empty schema and the tables that may come to be in it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.tables import Tables


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
def tables(postgres_schema: str) -> Tables:
    return Tables.named(schema=postgres_schema)


@pytest.fixture
def migrator(engine: AsyncEngine, tables: Tables) -> Migrator:
    return Migrator(engine, tables)
