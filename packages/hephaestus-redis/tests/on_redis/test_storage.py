"""RedisStorage: the whole contract."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from hephaestus.testing import StorageContract
from hephaestus.testing.storage.damage import Damage
from hephaestus_redis import RedisStorage


class TestRedisStorage(StorageContract):
    @pytest.fixture
    async def storage(self, redis_url: str, redis_namespace: str) -> AsyncIterator[RedisStorage]:
        storage = RedisStorage(redis_url, namespace=redis_namespace)
        await storage.open()
        yield storage
        await storage.close()

    @pytest.fixture
    def damage(self, redis_url: str, redis_namespace: str) -> Damage:
        async def damage(run_id: str) -> None:
            async with Redis.from_url(redis_url) as client:
                await client.hset(f"{{{redis_namespace}}}:run:{run_id}", "state", "{")

        return damage
