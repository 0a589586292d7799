"""Working with an app's storage, without executing its steps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from hephaestus.app import Hephaestus
from hephaestus.cli.messenger import Messenger
from hephaestus.cli.target import find_app
from hephaestus.storage import Storage

_T = TypeVar("_T")


def with_storage(target: str | None, work: Callable[[Hephaestus, Storage], Awaitable[_T]]) -> _T:
    """Return what comes of some work on the opened storage of an app, which itself stays closed."""

    async def run() -> _T:
        async with opened(app.storage) as storage:
            return await work(app, storage)

    app = find_app(target)
    return asyncio.run(run())


def with_app(target: str | None, work: Callable[[Hephaestus], Awaitable[_T]]) -> _T:
    """Return what comes of some work with an app that stores requests and executes nothing."""

    async def run() -> _T:
        async with Hephaestus(
            given.storage, Messenger(), name=given.name, clock=given.clock
        ) as app:
            return await work(app)

    given = find_app(target)
    return asyncio.run(run())


@asynccontextmanager
async def opened(storage: Storage) -> AsyncIterator[Storage]:
    """Open a storage for the block."""
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()
