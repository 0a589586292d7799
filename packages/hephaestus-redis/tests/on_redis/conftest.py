"""Storages, clients, and servers with options of their own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from hephaestus.testing.runner.stage import Stage
from hephaestus_redis import RedisStorage
from on_redis.setting import Launch, Server, answers, free_port


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
def stage() -> Iterator[Stage]:
    """Return the stage on which the steps of this test act."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def launch(own_redis_server: Server) -> Iterator[Launch]:
    """Start servers with options of their own; they are killed after the test."""
    processes = []
    names = ("redis-server", "valkey-server")
    program = next(name for name in names if (own_redis_server.programs / name).exists())

    def launch(*options: str, config: str | None = None) -> str:
        port = free_port()
        where = ("--port", str(port), "--bind", "127.0.0.1", "--daemonize", "no")
        command = (program,) if config is None else (program, config)
        process = own_redis_server.begin(*command, *options, *where)
        processes.append(process)
        process.wait_until(lambda: answers(port), seconds=30)
        return f"redis://127.0.0.1:{port}/0"

    yield launch
    for process in processes:
        process.kill()
