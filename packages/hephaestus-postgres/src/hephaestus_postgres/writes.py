"""Writes that travel together: new runs, commits and messages."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncpg.exceptions import LockNotAvailableError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hephaestus.codec import Codec
from hephaestus.errors import (
    AlreadyRunning,
    HephaestusError,
    InstanceNotFound,
    StaleInstance,
    StorageUnavailable,
)
from hephaestus.instance import Instance
from hephaestus.message import Message
from hephaestus.storage import Change
from hephaestus_postgres.batcher import Batcher
from hephaestus_postgres.failures import NAME, cause, is_taken, mapped, translated
from hephaestus_postgres.parcel import (
    Parcel,
    changed_run,
    message_row,
    new_run,
    tables,
)
from hephaestus_postgres.sql import Statements
from hephaestus_postgres.transaction import alone, run
from hephaestus_postgres.wire import Record, Wires

_LOOKS = 5
"""How often a start looks for who holds its key, before it gives up."""


class _Letter(NamedTuple):
    message: Message
    row: tuple[Any, ...]
    size: int


class Writes:
    """Sends what runners write, in as few transactions as can be."""

    def __init__(
        self, engine: AsyncEngine, wires: Wires, statements: Statements, codec: Codec
    ) -> None:
        self._engine = engine
        self._wires = wires
        self._statements = statements
        self._codec = codec
        self._creates = Batcher(self._create, self._create_alone, size=_size)
        self._commits = Batcher(self._commit, self._commit_alone, size=_size, place=_run_id)
        self._posts = Batcher(self._post, self._post_alone, size=_size)

    async def close(self) -> None:
        """Let what is under way end."""
        for batcher in (self._creates, self._commits, self._posts):
            await batcher.idle()

    async def create(self, change: Change) -> None:
        """Insert a run; see `Storage.create`."""
        await self._creates.send(new_run(change, self._codec))

    async def commit(self, change: Change) -> None:
        """Write a change; see `Storage.commit`."""
        await self._commits.send(changed_run(change, self._codec))

    async def post(self, message: Message) -> bool:
        """Put a message into an inbox; see `Storage.post`."""
        return await self._posts.send(self._letter(message))

    async def create_in(self, connection: AsyncConnection, change: Change) -> None:
        """Insert a run in the caller's transaction, which stays usable if the key is taken.

        Raises:
            TransactionConflict: That transaction has to be repeated.
        """
        with mapped(repeatable=True):
            await self._create_in(connection, new_run(change, self._codec))

    async def post_in(self, connection: AsyncConnection, message: Message) -> bool:
        """Put a message into an inbox in the caller's transaction.

        Raises:
            TransactionConflict: That transaction has to be repeated.
        """
        with mapped(repeatable=True):
            return await self._post_in(connection, self._letter(message))

    def _letter(self, message: Message) -> _Letter:
        row = message_row(message, self._codec)
        return _Letter(message, row, sum(len(value) for value in row if isinstance(value, str)))

    async def _create(self, parcels: Sequence[Parcel]) -> Sequence[bool | Exception | None]:
        runs, entries, _ = tables(parcels)
        rows = await self._wires.fetch(*self._statements.create(runs, entries))
        written = {row["run_id"] for row in rows}
        instances = [one.change.instance for one in parcels]
        missing = [instance for instance in instances if instance.run_id not in written]
        found: Sequence[Record] = ()
        if missing:
            columns = _holder_columns(missing)
            found = await self._wires.fetch(self._statements.holders, *columns)
        return [
            True if instance.run_id in written else _as_created(instance, found)
            for instance in instances
        ]

    async def _create_alone(self, parcel: Parcel) -> bool:
        async with alone(self._engine) as connection:
            await self._create_in(connection, parcel)
        return True

    async def _create_in(self, connection: AsyncConnection, parcel: Parcel) -> None:
        instance = parcel.change.instance
        for _ in range(_LOOKS):
            filled = self._statements.create([parcel.row], parcel.entries, alone=True)
            if await run(connection, *filled):
                return
            columns = _holder_columns([instance])
            found = await run(connection, self._statements.holders, *columns)
            if (known := _as_created(instance, found)) is not None:
                if isinstance(known, Exception):
                    raise known
                return
        raise StorageUnavailable(NAME, f"the key of {instance.id!r} changes hands too quickly")

    async def _commit(self, parcels: Sequence[Parcel]) -> Sequence[bool | Exception | None]:
        rows = await self._committed(parcels)
        written = {row["run_id"] for row in rows}
        missing = [run_id for one in parcels if (run_id := _run_id(one)) not in written]
        standing: dict[str, Record] = {}
        if missing:
            found = await self._wires.fetch(self._statements.standing, missing)
            standing = {row["run_id"]: row for row in found}
        return [
            True if _run_id(one) in written else _as_committed(one.change, standing)
            for one in parcels
        ]

    async def _committed(self, parcels: Sequence[Parcel]) -> Sequence[Record]:
        given = tables(parcels)
        try:
            return await self._wires.fetch(*self._statements.commit(*given, locking="late"))
        except LockNotAvailableError:
            return await self._wires.fetch(*self._statements.commit(*given, locking="skip"))

    async def _commit_alone(self, parcel: Parcel) -> bool:
        change = parcel.change
        filled = self._statements.commit(*tables([parcel]), locking="wait")
        try:
            async with alone(self._engine, IntegrityError) as connection:
                if await run(connection, *filled):
                    return True
                found = await run(connection, self._statements.standing, [change.instance.run_id])
        except IntegrityError as error:
            raise await self.refused(change.instance, error) from cause(error)
        known = _as_committed(change, {row["run_id"]: row for row in found})
        if known is None:  # what it grants is held
            raise _stale(change)
        if isinstance(known, Exception):
            raise known
        return True

    async def refused(self, instance: Instance, error: IntegrityError) -> HephaestusError:
        """Return the error for a run that a constraint refuses: its key's, or the application's."""
        if not is_taken(error):
            return translated(error)
        async with alone(self._engine) as connection:
            found = await run(connection, self._statements.holders, *_holder_columns([instance]))
        return AlreadyRunning(instance.id, _holder(instance, found))

    async def _post(self, letters: Sequence[_Letter]) -> Sequence[bool | Exception | None]:
        filled = self._statements.post([letter.row for letter in letters])
        rows = await self._wires.fetch(*filled)
        new = {row["place"] - 1: row["is_new"] for row in rows}
        return [
            new[place] if place in new else InstanceNotFound(letter.message.run_id)
            for place, letter in enumerate(letters)
        ]

    async def _post_alone(self, letter: _Letter) -> bool:
        async with alone(self._engine) as connection:
            return await self._post_in(connection, letter)

    async def _post_in(self, connection: AsyncConnection, letter: _Letter) -> bool:
        found = await run(connection, *self._statements.post([letter.row]))
        if not found:
            raise InstanceNotFound(letter.message.run_id)
        return bool(found[0]["is_new"])


def _size(member: Parcel | _Letter) -> int:
    return member.size


def _run_id(parcel: Parcel) -> str:
    return parcel.change.instance.run_id


def _holder_columns(runs: Sequence[Instance]) -> list[list[str]]:
    keys = [run.unique_key for run in runs if run.unique_key is not None]
    return [keys, [run.run_id for run in runs]]


def _holder(instance: Instance, found: Sequence[Record]) -> str | None:
    """Return the run that holds the key of one that could not be written."""
    if instance.is_finished or instance.unique_key is None:
        return None
    holders = {row["unique_key"]: row["run_id"] for row in found}
    return holders.get(instance.unique_key)


def _as_created(instance: Instance, found: Sequence[Record]) -> bool | Exception | None:
    """Tell what became of a run that was not inserted; None if another look is needed."""
    if any(row["run_id"] == instance.run_id for row in found):
        return True  # it was stored before: this is a repetition
    holder = _holder(instance, found)
    return None if holder is None else AlreadyRunning(instance.id, holder)


def _as_committed(change: Change, standing: dict[str, Record]) -> bool | Exception | None:
    """Tell what became of a change that was not written; None if it has to go alone."""
    instance = change.instance
    row = standing.get(instance.run_id)
    if row is not None and row["revision"] == instance.revision and row["token"] == change.token:
        return True
    if row is None or row["revision"] != instance.revision - 1:
        return _stale(change)
    return None


def _stale(change: Change) -> StaleInstance:
    return StaleInstance(change.instance.run_id, change.instance.revision - 1)
