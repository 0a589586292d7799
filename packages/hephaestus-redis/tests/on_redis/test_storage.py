"""RedisStorage: the whole contract, and what it does with what it cannot read."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from hephaestus.codec import Codec
from hephaestus.errors import DamagedInstance
from hephaestus.testing import StorageContract
from hephaestus.testing.storage.damage import Damage
from hephaestus.testing.storage.histories import Histories
from hephaestus.testing.storage.inbox import Inbox
from hephaestus.testing.storage.isolation import Isolation
from hephaestus.testing.storage.leases import Renewing
from hephaestus.testing.storage.opening import Opening
from hephaestus.testing.storage.paging import Paging
from hephaestus.testing.storage.reading import Reading
from hephaestus.testing.storage.samples import (
    ALICE_AGAIN,
    LEASE,
    NOW,
    due,
    entry,
    event,
    finished_run,
    lease,
    new_run,
    store,
    with_results,
)
from hephaestus.testing.storage.values import Values
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


class Mask:
    """A codec hook that makes everything unreadable to others."""

    def encode(self, plain: bytes) -> bytes:
        return bytes(byte ^ 0x55 for byte in plain)

    def decode(self, stored: bytes) -> bytes:
        return self.encode(stored)


class TestMaskedRedisStorage(Values, Isolation, Histories):
    """All that users put in passes through the codec's hook, and comes back."""

    @pytest.fixture
    async def storage(self, redis_url: str, redis_namespace: str) -> AsyncIterator[RedisStorage]:
        codec = Codec(hook=Mask())
        storage = RedisStorage(redis_url, namespace=redis_namespace, codec=codec)
        await storage.open()
        yield storage
        await storage.close()


class TestOnAGivenClient(Opening, Reading, Inbox, Renewing, Histories, Paging):
    """A client of the newer protocol that would decode what it reads."""

    @pytest.fixture
    async def storage(self, redis_url: str, redis_namespace: str) -> AsyncIterator[RedisStorage]:
        async with Redis.from_url(redis_url, protocol=3, decode_responses=True) as client:
            storage = RedisStorage(client, namespace=redis_namespace)
            await storage.open()
            yield storage
            await storage.close()


DAMAGES = {
    "state": [
        "",
        "{",
        "[]",
        '{"format":99}',
        '{"format":1,"active":{"charge":{"attempt":"x"}}}',
        "\\xff",
    ],
    "initial": ["{", "[1]"],
    "created": ["", "yesterday"],
    "status": ["lost"],
    "version": ["two"],
    "tags": ["gift"],
    "updated": ["x"],
    "result:check": ["{"],
}


@pytest.mark.parametrize("field", [*DAMAGES, "history", "inbox"])
async def test_whatever_is_damaged_is_named_and_left_out(
    storage: RedisStorage, client: Redis, redis_namespace: str, field: str
) -> None:
    run = await store(storage, with_results(new_run(), check={}), results=("check",))
    await storage.post(event(run))
    await storage.record(entry(run.run_id))
    kind = field if field in ("history", "inbox") else "run"
    key = f"{{{redis_namespace}}}:{kind}:{run.run_id}"

    for junk in DAMAGES.get(field, ["", "0:{", "{"]):
        name = field if kind == "run" else next(iter(await client.hkeys(key)))
        await client.hset(key, name, junk)
        with pytest.raises(DamagedInstance) as raised:
            await (storage.load(run.run_id) if kind == "inbox" else storage.get(run.run_id))
        if kind == "run":
            assert await storage.query(context={"initial": {}, "steps": {"check": {}}}) == []
            assert await storage.query() == []
        assert raised.value.run_id == run.run_id


async def test_a_run_that_somebody_else_deleted_is_neither_due_nor_in_the_way(
    storage: RedisStorage, client: Redis, redis_namespace: str
) -> None:
    gone = await store(storage, new_run(), wake_at=NOW)
    await store(storage, done := finished_run("orderid::2"))
    await storage.claim(lease(gone), NOW, results=())
    for run in (gone, done):
        await client.delete(f"{{{redis_namespace}}}:run:{run.run_id}")

    assert await due(storage, NOW) == []
    assert await storage.adopt(ALICE_AGAIN, NOW) == 0
    assert await storage.query() == []
    assert await storage.prune(NOW + LEASE) == 1
    assert await storage.delete(gone.id)
    assert await storage.prune(NOW + LEASE) == 0
