"""What goes wrong at the server or on the way becomes StorageUnavailable, in words that help."""

import asyncio
import inspect
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis.exceptions
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from hephaestus.errors import StorageUnavailable
from hephaestus.testing.storage.samples import (
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
from hephaestus_redis.failures import FOREIGN, unavailable
from on_redis.setting import Launch, Server, port_of

FOREIGNERS = [
    kind
    for _, kind in inspect.getmembers(redis.exceptions, inspect.isclass)
    if issubclass(kind, Exception)
]
REPLIES = {
    "LOADING Redis is loading the dataset in memory": "still reading its data",
    "READONLY You can't write against a read only replica.": "is a replica",
    "OOM command not allowed when used memory > 'maxmemory'.": "memory is full",
    "BUSY Redis is busy running a script.": "busy with somebody's script",
    "MISCONF Redis is configured to save RDB snapshots": "cannot write to its disk",
    "NOREPLICAS Not enough good replicas to write.": "too few replicas",
    "MASTERDOWN Link with MASTER is down": "the cluster is down|without its primary",
    "NOAUTH Authentication required.": "refuses the user name",
    "WRONGPASS invalid username-password pair": "refuses the user name",
    "NOPERM this user has no permissions": "may not do that",
    "CLUSTERDOWN The cluster is down": "the cluster is down",
    "MOVED 3999 127.0.0.1:6381": "give a RedisCluster client",
    "CROSSSLOT Keys in request don't hash to the same slot": "not in one slot",
    "WRONGTYPE Operation against a key holding the wrong kind of value": "WRONGTYPE",
    "ERR something else": "something else",
}


@pytest.mark.parametrize("kind", FOREIGNERS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_driver_is_caught_and_becomes_ours(kind: type[Exception]) -> None:
    message = "3999 127.0.0.1:6381"  # what the redirections of a cluster look like

    ours = unavailable(kind(message))

    assert issubclass(kind, FOREIGN)
    assert message in str(ours)


@pytest.mark.parametrize(
    "error", [OSError(), ConnectionRefusedError("no"), TimeoutError()], ids=repr
)
def test_errors_of_the_network_are_caught_and_have_a_reason(error: Exception) -> None:
    ours = unavailable(error)

    assert isinstance(error, FOREIGN)
    assert ours.reason


@pytest.mark.parametrize("reply", REPLIES)
async def test_what_a_server_replies_is_said_in_words(reply: str) -> None:
    async with _server_that_replies(f"-{reply}\r\n".encode()) as url:
        storage = RedisStorage(url)

        with pytest.raises(StorageUnavailable, match=REPLIES[reply]):
            await storage.load("01980000")

        await storage.close()


async def test_a_connection_that_is_dropped_before_the_reply_is_no_connection() -> None:
    async with _server_that_replies(b"") as url:
        storage = RedisStorage(url)

        with pytest.raises(StorageUnavailable, match="no connection"):
            await storage.load("01980000")

        await storage.close()


async def test_a_server_that_does_not_answer_in_time_is_too_slow() -> None:
    async with _server_that_replies(None) as url:
        storage = RedisStorage(f"{url}?socket_timeout=0.05")

        with pytest.raises(StorageUnavailable, match="in time"):
            await storage.load("01980000")

        await storage.close()


async def test_where_nobody_listens_opening_says_so() -> None:
    storage = RedisStorage("redis://127.0.0.1:1")

    with pytest.raises(StorageUnavailable, match="no connection"):
        await storage.open()


async def test_every_verb_of_a_server_that_is_away_raises_our_error() -> None:
    storage = RedisStorage("redis://127.0.0.1:1")
    run = new_run()
    calls = [
        storage.get(run.id), storage.put(run), storage.delete(run.id), storage.query(),
        storage.count(), storage.record(entry(run.run_id)), storage.entries(run.id),
        storage.ids(), storage.prune(NOW), storage.create(change(run)), storage.load(run.run_id),
        storage.commit(change(moved(run))), storage.post(event(run)), storage.withdraw("1"),
        due(storage), storage.claim(lease(run), NOW, results=()),
        storage.renew([lease(run)], NOW, NOW), storage.release([lease(run)], NOW),
        storage.adopt(lease(run).owner, NOW),
    ]  # fmt: skip

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}


async def test_a_full_server_refuses_what_grows_and_still_deletes_and_prunes(
    own_redis_server: Server, own_client: Redis
) -> None:
    async with _storage_on(own_redis_server.url) as storage:
        run, other = [await store(storage, new_run(f"orderid::{n}")) for n in range(2)]
        await store(storage, ended(new_run("orderid::3")))
        await own_client.config_set("maxmemory", 1)

        with pytest.raises(StorageUnavailable, match="memory is full"):
            await commit(storage, moved(run))
        assert await storage.get(run.run_id) == run
        assert await storage.delete(other.id)
        assert await storage.prune(NOW + timedelta(days=1)) == 1

        await own_client.config_set("maxmemory", 0)
        assert await commit(storage, moved(run)) == await storage.get(run.run_id)


async def test_a_primary_that_became_a_replica_is_named_until_it_is_one_again(
    own_redis_server: Server, own_client: Redis, launch: Launch
) -> None:
    primary = launch("--save", "")
    async with _storage_on(own_redis_server.url) as storage:
        await own_client.replicaof("127.0.0.1", int(port_of(primary)))

        with pytest.raises(StorageUnavailable, match="replica"):
            await store(storage, new_run())

        await own_client.replicaof("NO", "ONE")
        run = await store(storage, new_run())
        assert await storage.get(run.run_id) == run


async def test_a_server_that_is_busy_with_a_script_is_named_until_the_script_ends(
    own_redis_server: Server, own_client: Redis
) -> None:
    async with _storage_on(own_redis_server.url) as storage:
        await own_client.config_set("busy-reply-threshold", 10)
        async with Redis.from_url(own_redis_server.url) as other:
            looping = asyncio.gather(other.eval("while true do end", 0), return_exceptions=True)
            refusal = None
            while refusal is None:
                refusal = await _refusal(storage)
            await own_client.script_kill()
            (killed,) = await looping

        assert "busy with somebody's script" in str(refusal)
        assert isinstance(killed, ResponseError)
        run = await store(storage, new_run())
        assert await storage.get(run.run_id) == run


async def test_a_connection_that_died_while_it_was_idle_is_not_noticed(
    own_redis_server: Server, own_client: Redis
) -> None:
    async with _storage_on(own_redis_server.url) as storage:
        run = await store(storage, new_run())
        await own_client.client_kill_filter(_type="normal", skipme=True)

        second = await commit(storage, moved(run))

        assert await storage.get(run.run_id) == second


async def test_a_wrong_password_is_told(own_redis_server: Server, own_client: Redis) -> None:
    await own_client.config_set("requirepass", "secret")
    storage = RedisStorage(own_redis_server.url.replace("//", "//:wrong@"))

    with pytest.raises(StorageUnavailable, match="password"):
        await storage.open()


@asynccontextmanager
async def _storage_on(url: str) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(url)
    await storage.open()
    yield storage
    await storage.close()


@asynccontextmanager
async def _server_that_replies(reply: bytes | None) -> AsyncIterator[str]:
    """Yield the URL of a server that greets, and then replies this to every command.

    An empty reply closes the connection; with none it stays silent.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"CLIENT" in data:
                writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
            elif reply:
                writer.write(reply)
            elif reply is not None:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def _refusal(storage: RedisStorage) -> StorageUnavailable | None:
    """Return why a run cannot be stored, if it cannot."""
    try:
        await store(storage, new_run())
    except StorageUnavailable as error:
        return error
    return None


async def test_a_server_that_is_away_is_told_in_few_lines(unused_tcp_port: int) -> None:
    with pytest.raises(StorageUnavailable, match="no connection") as caught:
        await RedisStorage(f"redis://127.0.0.1:{unused_tcp_port}").open()

    assert "".join(traceback.format_exception(caught.value)).count("\n") < 30
