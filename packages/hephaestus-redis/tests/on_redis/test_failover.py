"""A replica takes over, as Sentinel arranges it: without the scripts, at another address."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.sentinel import Sentinel

from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import StorageUnavailable
from hephaestus.testing.runner.stage import Stage, eventually
from hephaestus.testing.runner.workflows import Order
from hephaestus_redis import RedisStorage
from on_redis.setting import Launch, Server, port_of

WATCHED = """\
sentinel monitor orders 127.0.0.1 {port} 1
sentinel down-after-milliseconds orders 300
sentinel failover-timeout orders 2000
"""


@pytest.fixture
async def sentinel(own_redis_server: Server, launch: Launch) -> AsyncIterator[Sentinel]:
    """Return a sentinel that knows `own_redis_server` and one replica of it."""
    primary = port_of(own_redis_server.url)
    async with Redis.from_url(own_redis_server.url) as client:
        # Else it waits five seconds for more replicas before it sends this one anything.
        await client.config_set("repl-diskless-sync-delay", 0)
    launch("--save", "", "--replicaof", f"127.0.0.1 {primary}")
    config = own_redis_server.place.folder / "sentinel.conf"
    config.write_text(WATCHED.format(port=primary))
    config.chmod(0o666)
    url = launch("--sentinel", config=str(config))
    sentinel = Sentinel([("127.0.0.1", int(port_of(url)))])  # type: ignore[no-untyped-call]  # it says nothing of itself
    (watcher,) = sentinel.sentinels

    async def knows_the_replica() -> bool:
        masters: Any = await watcher.sentinel_masters()
        return bool(masters["orders"]["num-slaves"] == 1)

    await eventually(knows_the_replica)
    yield sentinel
    await watcher.aclose()


async def test_runs_go_on_when_a_replica_has_taken_over(
    own_redis_server: Server, sentinel: Sentinel, stage: Stage
) -> None:
    stage.direct("validate", lambda _: stage.reached("killed"))
    client: Redis = sentinel.master_for("orders")
    async with client, Hephaestus(RedisStorage(client), LocalRunner(poll=0.05)) as app:
        for number in range(10):
            await Order.start(str(number), stage.initial())
        await stage.reached("validate", times=10)
        await client.set("last", "write")
        assert await client.wait(1, 5000) == 1

        own_redis_server.kill()
        stage.mark("killed")

        async def have_ended() -> bool:
            # A sentinel on a busy machine may take the new one for dead as well, for a moment.
            with suppress(StorageUnavailable):
                return await app.count(status="completed") == 10
            return False

        await eventually(have_ended)
        assert stage.count("ship") == 10
