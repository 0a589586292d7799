"""A storage that ends its process at one of its verbs."""

import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from crashes.setting import Doom
from hephaestus.storage import Change, Snapshot, Storage, Transaction

_VERBS = {
    "create", "load", "commit", "post", "withdraw", "claim", "renew", "release", "adopt",
}  # fmt: skip
STATUS = 86
"""What a process that ended as it was doomed to answers."""


def doomed(storage: Storage, doom: Doom) -> Storage:
    """Return the storage, which will end its process."""
    return cast("Storage", DoomedStorage(storage, doom))


class DoomedStorage:
    """Counts the verbs that runners call, and ends the process before or after one of them.

    A look for what is due counts where it has found something: it was handed over then.
    """

    def __init__(self, storage: Storage, doom: Doom) -> None:
        self._storage = storage
        self._doom = doom
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._storage, name)
        return functools.partial(self.counted, verb) if name in _VERBS else verb

    async def due(self, *args: Any, **options: Any) -> list[str]:
        """Look, and count it if there is something."""
        found = await self._storage.due(*args, **options)
        if found:
            self._reach("before")
            self._reach("after")
        return found

    @asynccontextmanager
    async def transaction(self, run_id: str) -> AsyncIterator[Transaction]:
        """Give a transaction whose load and commit count."""
        async with self._storage.transaction(run_id) as transaction:
            yield DoomedTransaction(transaction, self.counted)

    async def counted(self, verb: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        """Carry a verb out, unless this is its end."""
        self._reach("before")
        number = self._count
        try:
            return await verb(*args, **options)
        finally:
            if number == self._doom.verb and self._doom.when == "after":
                os._exit(STATUS)

    def _reach(self, when: str) -> None:
        if when == "before":
            self._count += 1
        if self._count == self._doom.verb and when == self._doom.when:
            os._exit(STATUS)


class DoomedTransaction:
    """A transaction of a step in such a process."""

    def __init__(self, transaction: Transaction, counted: Callable[..., Awaitable[Any]]) -> None:
        self._transaction = transaction
        self._counted = counted

    @property
    def session(self) -> Any:
        return self._transaction.session

    def conflicts(self, error: BaseException) -> bool:
        return self._transaction.conflicts(error)

    async def flush(self) -> None:
        await self._transaction.flush()

    async def load(self) -> Snapshot:
        return cast("Snapshot", await self._counted(self._transaction.load))

    async def commit(self, change: Change) -> None:
        await self._counted(self._transaction.commit, change)
