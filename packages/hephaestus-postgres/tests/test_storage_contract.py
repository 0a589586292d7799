"""PostgresStorage keeps the whole contract of a storage."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import cast
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from hephaestus.testing import StorageContract
from hephaestus_postgres import PostgresStorage


class TestPostgresStorage(StorageContract):
    """All clauses."""

    @pytest.fixture
    async def storage(
        self, engine: AsyncEngine, empty_schema: str
    ) -> AsyncIterator[PostgresStorage]:
        """Return the storage that is to be proved."""
        storage = PostgresStorage(engine, schema=empty_schema)
        await storage.open()
        yield storage
        await storage.close()

    @pytest.fixture
    def damage(self, storage: PostgresStorage) -> Callable[[str], Awaitable[None]]:
        """Return what makes the stored state of a run unreadable."""

        async def spoil(run_id: str) -> None:
            table = storage.tables.instances
            spoilt = cast(cast(table.c.state, JSONB).op("||")(cast({"format": 99}, JSONB)), JSON)
            async with storage.engine.begin() as connection:
                await connection.execute(
                    table.update().where(table.c.run_id == run_id).values(state=spoilt)
                )

        return spoil

    @pytest.fixture
    def begin(self, engine: AsyncEngine) -> Callable[[], AbstractAsyncContextManager[object]]:
        """Return what opens a transaction of the caller's."""
        return async_sessionmaker(engine).begin
