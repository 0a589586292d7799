"""A server that may be killed, and an app on it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hephaestus.testing.runner.stage import Stage
from hephaestus_postgres import PostgresStorage
from servers.server import Server


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Return what directs the steps of the sample workflows."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def own_url(own_postgres_server: Server) -> str:
    """Return the URL of the server that may be killed, as SQLAlchemy writes it."""
    return own_postgres_server.url.replace("postgresql://", "postgresql+asyncpg://", 1)


@pytest.fixture
async def own_engine(own_url: str) -> AsyncIterator[AsyncEngine]:
    """Return an engine of the application's, which looks at no connection before it is used."""
    engine = create_async_engine(own_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def own_storage(own_engine: AsyncEngine) -> PostgresStorage:
    """Return a storage on it, which is not open."""
    storage = PostgresStorage(own_engine)
    await storage.migrate()
    return storage
