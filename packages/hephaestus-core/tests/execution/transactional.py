"""A memory storage with transactions, and with faults at the moments that matter."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from hephaestus.errors import StaleInstance, StorageUnavailable, TransactionConflict
from hephaestus.memory import MemoryStorage
from hephaestus.storage import Change, Snapshot, Transaction

Fault = Literal["no connection", "conflict", "stale", "lost before", "lost after"]


class Deadlock(Exception):
    """What the database says to the one of two whom it makes begin again."""


class Session:
    """Collects effects, which become real with the commit."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.refusal: Exception | None = None
        """What the database says once it is sent the effects."""

    def touch(self, key: str) -> None:
        """Make one effect."""
        self.effects[key] += 1


class TransactionalMemory(MemoryStorage):
    """A memory storage whose transactions keep other writers of the run waiting."""

    transactional: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.effects: Counter[str] = Counter()
        """What all committed transactions have effected."""

        self.faults: list[Fault] = []
        """What goes wrong with the next transactions, one each."""

        self._writing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def transaction(self, run_id: str) -> AsyncIterator[Transaction]:
        """Begin a transaction."""
        fault = self.faults.pop(0) if self.faults else None
        if fault == "no connection":
            raise StorageUnavailable("TransactionalMemory", "no connection is free")
        transaction = _Transaction(self, run_id, fault)
        try:
            yield transaction
        finally:
            transaction.end()

    async def commit(self, change: Change) -> None:
        """Write a change, when no transaction has the run."""
        async with self._writing[change.instance.run_id]:
            await super().commit(change)

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back, when no transaction has its run."""
        async with self._writing[self._addressees.get(message_id, "")]:
            return await super().withdraw(message_id)


class _Transaction:
    def __init__(self, storage: TransactionalMemory, run_id: str, fault: Fault | None) -> None:
        self.session = Session()
        self._storage = storage
        self._run_id = run_id
        self._fault = fault
        self._writing = storage._writing[run_id]
        self._is_mine = False

    def conflicts(self, error: BaseException) -> bool:
        return isinstance(error, Deadlock)

    async def flush(self) -> None:
        if self.session.refusal is not None:
            raise self.session.refusal

    async def load(self) -> Snapshot:
        self._is_mine = await self._writing.acquire()
        return await self._storage.load(self._run_id)

    async def commit(self, change: Change) -> None:
        if self._fault == "conflict":
            raise TransactionConflict("could not serialize access")
        if self._fault == "stale":
            raise StaleInstance(self._run_id, change.instance.revision - 1)
        if self._fault == "lost before":
            raise StorageUnavailable("TransactionalMemory", "the connection was lost")
        await MemoryStorage.commit(self._storage, change)
        self._storage.effects.update(self.session.effects)
        if self._fault == "lost after":
            raise StorageUnavailable("TransactionalMemory", "the connection was lost")

    def end(self) -> None:
        if self._is_mine:
            self._writing.release()
