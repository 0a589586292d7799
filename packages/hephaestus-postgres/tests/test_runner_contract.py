"""LocalRunner keeps its contract on PostgresStorage."""

from collections.abc import Awaitable, Callable
from typing import Any, Unpack

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from hephaestus import LocalRunner
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import Options
from hephaestus_postgres import PostgresStorage


class TestLocalRunnerOnPostgres(RunnerContract):
    """All clauses."""

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        """Return a runner that is not open yet."""
        return LocalRunner(**options)

    @pytest.fixture
    async def storage(self, engine: AsyncEngine, empty_schema: str) -> PostgresStorage:
        """Return an empty storage, which each app opens for itself."""
        return PostgresStorage(engine, schema=empty_schema)

    @pytest.fixture
    async def effects(self, storage: PostgresStorage, postgres_schema: str) -> str:
        """Return the name of a table of the application's."""
        name = f"{postgres_schema}.effects"
        async with storage.engine.begin() as connection:
            await connection.execute(text(f"CREATE TABLE {name} (key text)"))
        return name

    @pytest.fixture
    def touch(self, effects: str) -> Callable[[AsyncSession, str], Awaitable[None]]:
        """Return what makes an effect in the session of a step."""

        async def make(session: AsyncSession, key: str) -> None:
            await session.execute(text(f"INSERT INTO {effects} VALUES (:key)"), {"key": key})

        return make

    @pytest.fixture
    def touched(self, effects: str, engine: AsyncEngine) -> Callable[[str], Awaitable[int]]:
        """Return what counts effects that are durable."""

        async def count(key: str) -> int:
            query = text(f"SELECT count(*) FROM {effects} WHERE key = :key")
            async with engine.connect() as connection:
                found: Any = await connection.scalar(query, {"key": key})
            return int(found)

        return count
