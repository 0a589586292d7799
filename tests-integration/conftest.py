"""Every storage with every runner: what crosses packages is tried on each pair."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from hephaestus import Hephaestus, LocalRunner, MemoryStorage
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from stacks import stores
from stacks.brokers import BROKERS, new_queue
from stacks.runners import WorkingRunner

LOCAL = "local"
STACKS = [
    ("memory", LOCAL),
    ("postgres", LOCAL),
    ("redis", LOCAL),
    ("postgres", "stub"),
    ("redis", "stub"),
    ("postgres", "rabbitmq"),
    ("postgres", "redis"),
    ("redis", "redis"),
]
"""Storage and runner: local, or Dramatiq's with a worker in this process on that broker."""


@pytest.fixture(params=STACKS, ids="-".join)
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[Hephaestus]:
    """Give an open app on each pair of storage and runner."""
    storage, runner = request.param
    async with AsyncExitStack() as held:
        app = Hephaestus(await _storage(storage, request, held), _runner(runner, request, held))
        yield await held.enter_async_context(app)


async def _storage(name: str, request: pytest.FixtureRequest, held: AsyncExitStack) -> Storage:
    match name:
        case "postgres":
            return await held.enter_async_context(stores.postgres(request))
        case "redis":
            return await held.enter_async_context(stores.redis(request))
    return MemoryStorage()


def _runner(name: str, request: pytest.FixtureRequest, held: AsyncExitStack) -> Runner:
    if name == LOCAL:
        return LocalRunner(poll=0.05)
    connect = held.enter_context(BROKERS[name](request))
    return WorkingRunner(connect(), queue=new_queue(), concurrency=8, poll=0.05)
