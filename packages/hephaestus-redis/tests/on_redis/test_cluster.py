"""All scripts on a cluster, which refuses those that leave their hash slot."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster

from hephaestus.errors import AlreadyRunning, StaleInstance, StorageUnavailable
from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import (
    ALICE,
    ALICE_AGAIN,
    LEASE,
    NOW,
    change,
    commit,
    due,
    ended,
    entry,
    event,
    lease,
    moved,
    new_run,
    store,
)
from hephaestus_redis import RedisStorage
from on_redis.setting import Launch, free_port

SLOTS = 16384
DAY = timedelta(days=1)


@pytest.fixture
async def cluster_url(launch: Launch) -> str:
    """Return the URL of a cluster that has one node with all the slots."""
    url = launch("--save", "", "--appendonly", "yes", "--cluster-enabled", "yes",
                 "--cluster-port", str(free_port()))  # fmt: skip
    async with Redis.from_url(url) as node:
        await _cluster(node, "ADDSLOTSRANGE", 0, SLOTS - 1)

        async def is_whole() -> bool:
            return b"cluster_state:ok" in await _cluster(node, "INFO")

        await eventually(is_whole)
    return url


@pytest.fixture(params=["the client of a cluster", "the URL of its node"])
async def storage(cluster_url: str, request: pytest.FixtureRequest) -> AsyncIterator[RedisStorage]:
    if request.param == "the URL of its node":
        storage = RedisStorage(cluster_url)
        await storage.open()
        yield storage
        await storage.close()
        return
    async with RedisCluster.from_url(cluster_url) as client:
        storage = RedisStorage(client)
        await storage.open()
        yield storage
        await storage.close()


async def test_every_script_runs_on_a_cluster(storage: RedisStorage) -> None:
    run = await store(storage, new_run(unique_key="orders 1"), entries=(), wake_at=NOW)
    with pytest.raises(AlreadyRunning):
        await store(storage, new_run(unique_key="orders 1"))
    await storage.record(first := entry(run.run_id))
    paid, late = event(run), event(run)
    assert [await storage.post(message) for message in (paid, late)] == [True, True]
    assert await due(storage, NOW) == [run.run_id]
    assert await storage.claim(lease(run), NOW, results=()) == run
    assert await storage.renew([lease(run)], NOW + 2 * LEASE, NOW) == []
    assert await storage.adopt(ALICE_AGAIN, NOW) == 1
    await storage.release([lease(run, ALICE)], NOW)
    assert await storage.withdraw(late.id)
    loaded = await storage.load(run.run_id)
    assert [message.id for message in loaded.inbox] == [paid.id]
    after = await commit(storage, moved(loaded.instance, status="waiting"), consumed=(paid.id,))
    with pytest.raises(StaleInstance):
        await storage.commit(change(moved(run)))
    assert await storage.query(status="waiting", workflow_family="shop.") == [after]
    assert await storage.count() == 1
    assert await storage.ids() == [run.id]
    assert await storage.entries(run.id) == [first]
    await storage.put(after)
    await commit(storage, ended(await storage.get(run.id, history=False)))
    assert await storage.prune(NOW + DAY) == 1
    await store(storage, new_run("orderid::2"))
    assert await storage.delete("orderid::2")
    assert await storage.count() == 0


async def test_a_cluster_without_its_slots_is_unavailable(cluster_url: str) -> None:
    storage = RedisStorage(cluster_url)
    async with Redis.from_url(cluster_url) as node:
        await _cluster(node, "DELSLOTSRANGE", 0, SLOTS - 1)

    with pytest.raises(StorageUnavailable, match="the cluster is down"):
        await store(storage, new_run())

    await storage.close()


async def _cluster(node: Redis, *command: str | int) -> Any:
    return await node.execute_command("CLUSTER", *command)  # type: ignore[no-untyped-call]  # it says nothing of itself
