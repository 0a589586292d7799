"""The whole contract of a runner, on every storage with every broker."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Unpack

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from hephaestus import MemoryStorage
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import Options
from hephaestus_postgres import PostgresStorage
from stacks.brokers import BROKERS, new_queue
from stacks.runners import WorkingRunner
from stacks.stores import postgres, redis


class OnBroker(RunnerContract):
    """A runner with a worker beside it, on a broker."""

    @pytest.fixture(autouse=True)
    def connect(self, broker: str, request: pytest.FixtureRequest) -> Iterator[None]:
        self.queue = new_queue()
        with BROKERS[broker](request) as self._connect:
            yield

    def make_runner(self, **options: Unpack[Options]) -> WorkingRunner:
        return WorkingRunner(self._connect(), queue=self.queue, **options)

    def assert_idle(self, runner: Runner) -> None:
        assert isinstance(runner, WorkingRunner)
        runner.assert_idle()


@pytest.mark.parametrize("broker", ["stub"])
class TestOnMemory(OnBroker):
    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage()


@pytest.mark.parametrize("broker", BROKERS)
class TestOnRedis(OnBroker):
    """Half of the steps that are executed at once have no thread."""

    def make_runner(self, **options: Unpack[Options]) -> WorkingRunner:
        threads = (options["concurrency"] + 1) // 2
        return WorkingRunner(self._connect(), queue=self.queue, threads=threads, **options)

    @pytest.fixture
    async def storage(self, request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
        async with redis(request) as storage:
            yield storage


@pytest.mark.parametrize("broker", BROKERS)
class TestOnPostgres(OnBroker):
    @pytest.fixture
    async def storage(self, request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
        async with postgres(request) as storage:
            yield storage

    @pytest.fixture
    async def effects(self, storage: PostgresStorage, postgres_schema: str) -> str:
        name = f"{postgres_schema}.effects"
        async with storage.engine.begin() as connection:
            await connection.execute(text(f"CREATE TABLE {name} (key text)"))
        return name

    @pytest.fixture
    def touch(self, effects: str) -> Callable[[AsyncSession, str], Awaitable[None]]:
        async def make(session: AsyncSession, key: str) -> None:
            await session.execute(text(f"INSERT INTO {effects} VALUES (:key)"), {"key": key})

        return make

    @pytest.fixture
    def touched(self, effects: str, storage: PostgresStorage) -> Callable[[str], Awaitable[int]]:
        async def count(key: str) -> int:
            query = text(f"SELECT count(*) FROM {effects} WHERE key = :key")
            async with storage.engine.connect() as connection:
                found: Any = await connection.scalar(query, {"key": key})
            return int(found)

        return count
