"""Writes that count once replicas have them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from hephaestus.errors import InvalidArgument, StorageUnavailable
from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import change, moved, new_run, store
from hephaestus_redis import RedisStorage
from hephaestus_redis.replication import Replicated
from hephaestus_redis.script import Command
from on_redis.setting import Launch, Server, port_of


class Primary:
    """A link to a server whose replicas confirm as told."""

    wire = None

    def __init__(self, confirmed: Any) -> None:
        self.sent: list[Command] = []
        self._confirmed = confirmed

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        self.sent += commands
        return [self._confirmed if command[0] == "WAIT" else "done" for command in commands]

    async def let_go(self) -> None:
        """Keep nothing."""


def replicated(primary: Primary) -> Replicated:
    return Replicated(primary, prefix=b"{x}:", replicas=2, patience=timedelta(seconds=1))


@pytest.mark.parametrize("confirmed", [2, 3])
async def test_a_write_that_enough_replicas_confirm_succeeds(confirmed: int) -> None:
    primary = Primary(confirmed)

    replies = await replicated(primary).send([("EVALSHA", "1")], writes=True)

    assert replies == ["done"]
    # The write before WAIT is what it waits for, should the flight only have repeated something.
    assert [command[0] for command in primary.sent] == ["EVALSHA", "SET", "WAIT"]
    assert primary.sent[-1] == ("WAIT", 2, 1000)


@pytest.mark.parametrize("confirmed", [0, 1, RuntimeError("READONLY")])
async def test_a_write_that_too_few_replicas_confirm_fails(confirmed: object) -> None:
    link = replicated(Primary(confirmed))

    (reply,) = await link.send([("EVALSHA", "1")], writes=True)

    assert isinstance(reply, StorageUnavailable)
    assert "2 replicas should confirm" in str(reply)


async def test_what_only_reads_waits_for_nobody() -> None:
    primary = Primary(0)

    replies = await replicated(primary).send([("HGETALL", "x")], writes=False)

    assert (replies, primary.sent) == (["done"], [("HGETALL", "x")])


async def test_a_real_replica_confirms(
    own_redis_server: Server, launch: Launch, own_client: Redis
) -> None:
    primary = f"127.0.0.1 {port_of(own_redis_server.url)}"
    replica = launch("--save", "", "--replicaof", primary)
    async with Redis.from_url(replica) as reader, _storage(own_redis_server.url) as storage:

        async def is_connected() -> bool:
            return bool((await reader.info("replication"))["master_link_status"] == "up")

        await eventually(is_connected)
        run = await store(storage, new_run())

        assert await reader.exists(f"{{hephaestus}}:run:{run.run_id}")


async def test_without_a_replica_a_write_fails_and_can_be_repeated(
    own_redis_server: Server,
) -> None:
    async with _storage(own_redis_server.url) as storage:
        creation = change(new_run())

        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="1 replicas should confirm"):
                await storage.create(creation)

        assert await storage.get(creation.instance.run_id) == creation.instance
        with pytest.raises(StorageUnavailable):
            await storage.commit(change(moved(creation.instance)))


@pytest.mark.parametrize("wrong", [-1, 1.0, "1", True])
def test_a_wrong_number_of_replicas_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidArgument, match="replicas="):
        RedisStorage("redis://localhost", replicas=wrong)  # type: ignore[arg-type]  # wrong on purpose


@asynccontextmanager
async def _storage(url: str) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(url, replicas=1)
    await storage.open()
    yield storage
    await storage.close()
