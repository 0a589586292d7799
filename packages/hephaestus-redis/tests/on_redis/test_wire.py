"""Wire: flights follow each other over a connection that the driver has opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import InvalidResponse, ReadOnlyError
from redis.exceptions import TimeoutError as TooSlow

from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import commit, moved, new_run, store
from hephaestus_redis import RedisStorage
from hephaestus_redis.link import Pooled
from hephaestus_redis.wire import Wire


async def test_flights_need_not_wait_for_each_other_and_land_in_their_order() -> None:
    async with _wire_to(b"+1\r\n+", b"2\r\n+3\r\n") as (wire, landed):
        await wire.send([("PING",)], [landed.append])
        await wire.send([("PING",), ("PING",)], [landed.append] * 2)

        await _landing(landed, 3)

        assert landed == [b"1", b"2", b"3"]
        assert wire.is_open


async def test_all_that_waits_is_lost_with_the_connection() -> None:
    async with _wire_to(b"+1\r\n", b"") as (wire, landed):
        for _ in range(3):
            await wire.send([("PING",)], [landed.append])

        await _landing(landed, 3)

        assert landed[0] == b"1"
        assert [type(lost) for lost in landed[1:]] == [NotConnected] * 2
        assert not wire.is_open


async def test_a_server_that_stays_silent_is_given_up() -> None:
    async with _wire_to(b"+1\r\n", socket_timeout=0.05) as (wire, landed):
        await wire.send([("PING",)], [landed.append])
        await _landing(landed, 1)
        listens = wire._reading is not None  # nobody has asked for anything more

        await wire.send([("PING",)], [landed.append])
        await _landing(landed, 2)

        assert not listens
        assert isinstance(landed[1], TooSlow)
        assert not wire.is_open


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"-LOADING Redis is loading\r\n", NotConnected),
        (b"-READONLY You can't write\r\n", ReadOnlyError),
        (b"what?\r\n", InvalidResponse),
    ],
)
async def test_a_server_that_is_none_of_ours_is_left(said: bytes, kind: type[Exception]) -> None:
    async with _wire_to(said) as (wire, landed):
        await wire.send([("PING",)], [landed.append])

        await _landing(landed, 1)

        assert isinstance(landed[0], kind)
        assert not wire.is_open


async def test_a_link_keeps_one_connection_and_gives_it_back(redis_url: str) -> None:
    async with Redis.from_url(redis_url, protocol=2) as client:
        link = Pooled(client.connection_pool, keeps=True)
        await asyncio.gather(*(link.send([("PING",)], writes=False) for _ in range(3)))
        wire = link.wire
        assert wire is not None
        in_use = client.connection_pool._in_use_connections
        assert in_use == {wire.connection}

        await link.let_go()

        assert link.wire is None
        assert not in_use


@pytest.mark.parametrize("protocol", [2, 3])
async def test_a_wire_speaks_both_protocols(
    redis_url: str, redis_namespace: str, protocol: int
) -> None:
    async with Redis.from_url(redis_url, protocol=protocol) as client:
        storage = RedisStorage(client, namespace=redis_namespace)

        run = await store(storage, new_run())
        for _ in range(3):
            run = await commit(storage, moved(run))

        assert run == await storage.get(run.run_id)
        await storage.close()


async def test_a_pool_of_few_connections_keeps_none(redis_url: str, redis_namespace: str) -> None:
    pool = BlockingConnectionPool.from_url(redis_url, max_connections=1, timeout=5)
    async with Redis.from_pool(pool) as client:
        storage = RedisStorage(client, namespace=redis_namespace)

        run = await store(storage, new_run())
        run = await commit(storage, moved(run))

        assert run == await storage.get(run.run_id)
        assert not pool._in_use_connections
        await storage.close()


async def test_a_wire_of_an_event_loop_that_has_ended_is_not_used(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]  # it says nothing of itself

    async def made() -> Wire:
        return Wire(connection)

    wire = await asyncio.to_thread(asyncio.run, made())

    assert not wire.is_open
    await client.connection_pool.release(connection)
    await client.aclose()


async def _landing(landed: list[Any], count: int) -> None:
    async def all_landed() -> bool:
        return len(landed) == count

    await eventually(all_landed)


@asynccontextmanager
async def _wire_to(
    *replies: bytes, socket_timeout: float | None = None
) -> AsyncIterator[tuple[Wire, list[Any]]]:
    """Yield a wire to a server that says this once it is asked, and what has landed.

    An empty reply closes the connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if b"CLIENT" in data:
                    writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
                while waiting and b"CLIENT" not in data:
                    if not (reply := waiting.pop(0)):
                        return
                    writer.write(reply)
                    await asyncio.sleep(0)
        except OSError:
            pass  # the other side has given up
        finally:
            writer.close()
            served.set()

    waiting, served = list(replies), asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client: Redis = Redis.from_url(url, protocol=2, socket_timeout=socket_timeout)
    connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]  # it says nothing of itself
    yield Wire(connection), []
    # The driver hears of the end as well, which it waits for here.
    await connection.disconnect()
    await client.connection_pool.release(connection)
    await client.aclose()
    await served.wait()
    server.close()
