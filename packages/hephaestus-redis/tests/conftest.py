"""What the tests of RedisStorage share: storages, a client, and servers with options of their own."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis

from hephaestus_redis import RedisStorage

Launch = Callable[..., str]
"""Starts a server with these options, beside `own_redis_server`, and returns its URL."""


class Server(Protocol):
    """What the fixture `own_redis_server` offers."""

    url: str
    programs: Path

    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def begin(self, *command: str) -> Any: ...


@pytest.fixture
async def storage(redis_url: str, redis_namespace: str) -> AsyncIterator[RedisStorage]:
    """Return an open storage in a namespace of its own."""
    storage = RedisStorage(redis_url, namespace=redis_namespace)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """Return a client of the server of `storage`."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def own_client(own_redis_server: Server) -> AsyncIterator[Redis]:
    """Return a client of the server that this test has for itself."""
    async with Redis.from_url(own_redis_server.url) as client:
        yield client


@pytest.fixture
def launch(own_redis_server: Server) -> Iterator[Launch]:
    """Start servers with options of their own; they are killed after the test."""
    processes = []
    names = ("redis-server", "valkey-server")
    program = next(name for name in names if (own_redis_server.programs / name).exists())

    def launch(*options: str) -> str:
        port = _free_port()
        where = ("--port", str(port), "--bind", "127.0.0.1", "--daemonize", "no")
        process = own_redis_server.begin(program, *where, *options)
        processes.append(process)
        process.wait_until(lambda: _answers(port), seconds=30)
        return f"redis://127.0.0.1:{port}/0"

    yield launch
    for process in processes:
        process.kill()


async def keys_of(client: Redis, namespace: str) -> list[str]:
    """Return all keys that contain a namespace, sorted."""
    return sorted([key.decode() async for key in client.scan_iter(match=f"*{namespace}*")])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
