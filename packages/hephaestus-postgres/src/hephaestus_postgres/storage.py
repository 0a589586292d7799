"""PostgresStorage: the contract in a PostgreSQL database."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from hephaestus.codec import Codec
from hephaestus.errors import (
    AmbiguousInstance,
    DamagedInstance,
    InstanceNotFound,
)
from hephaestus.instance import TERMINAL, Entry, Instance, Status
from hephaestus.message import Message
from hephaestus.storage import (
    Change,
    Filters,
    Lease,
    Owner,
    Snapshot,
    Transaction,
    checked_pruning,
    importable,
    recordable,
)
from hephaestus_postgres import leasing, rows
from hephaestus_postgres.claims import Claims
from hephaestus_postgres.engines import Engines
from hephaestus_postgres.failures import cause, mapped
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.opening import check_clock
from hephaestus_postgres.parcel import run_row
from hephaestus_postgres.reads import Reads
from hephaestus_postgres.select import Selects
from hephaestus_postgres.sql import Statements
from hephaestus_postgres.tables import TableNames, Tables
from hephaestus_postgres.transaction import connection_of, run, step_transaction
from hephaestus_postgres.wire import Record, Wire, Wires
from hephaestus_postgres.writes import Writes

_log = logging.getLogger("hephaestus.storage")

_WIRES = 4
"""How many statements of reads and writes are under way at a time."""


class PostgresStorage:
    """Keeps runs in tables of a PostgreSQL database, for any number of processes.

    It works with one connection, and is quickest where it gets ten; who gives a `session=` holds
    one more meanwhile. Transactional steps take theirs from a second pool of the same size, since
    each holds one as long as its body runs.

    Args:
        url_or_engine: `postgresql+asyncpg://…`, for a pool of its own; or the application's
            engine, which it uses and never disposes of.
        schema: Where the tables are; the search path decides where it is not given.
        tables: What they are called.
        codec: Limits and hooks of what is stored.

    Raises:
        InvalidArgument: An argument has a value that it cannot take.
    """

    durable: ClassVar[bool] = True
    transactional: ClassVar[bool] = True

    def __init__(
        self,
        url_or_engine: str | URL | AsyncEngine,
        *,
        schema: str | None = None,
        tables: TableNames | Tables = TableNames(),  # noqa: B008  # it is immutable
        codec: Codec | None = None,
    ) -> None:
        self.codec = codec or Codec()
        self.tables = tables if isinstance(tables, Tables) else Tables.named(tables, schema)
        self._engines = Engines(url_or_engine)
        self._engine = self._engines.committed
        self._sql = Statements(self.tables)
        self._select = Selects(self.tables)
        self._opening = asyncio.Lock()
        self._opened = 0
        self._parts: tuple[Writes | Reads | Wires | Claims | Wire, ...] = ()

    @classmethod
    def from_models(
        cls,
        url_or_engine: str | URL | AsyncEngine,
        *,
        instances: type[Any],
        entries: type[Any],
        inbox: type[Any],
        codec: Codec | None = None,
    ) -> "PostgresStorage":
        """Return a storage on the tables of an application's own models.

        Args:
            instances: A model with `InstanceMixin`; `entries` and `inbox` likewise.

        Raises:
            InvalidArgument: A model lacks its mixin.
        """
        return cls(url_or_engine, tables=Tables.of(instances, entries, inbox), codec=codec)

    @property
    def engine(self) -> AsyncEngine:
        """The engine that it works with."""
        return self._engines.main

    async def migrate(self, version: int | None = None) -> None:
        """Bring the schema to a version, by default to the latest; 0 drops the tables.

        Raises:
            InvalidArgument: There is no such version, or no such schema.
            StorageUnavailable: The database cannot do it.
        """
        try:
            await Migrator(self._engine, self.tables).migrate(version)
        finally:
            if not self._opened:  # the event loop of a script that migrates may end with it
                await self._engines.dispose()

    async def open(self) -> None:
        """Check the server's clock and the schema; see `Storage.open`."""
        async with self._opening:
            if not self._opened:
                try:
                    await check_clock(self._engine)
                    await Migrator(self._engine, self.tables).check()
                except BaseException:
                    await self._engines.dispose()
                    raise
                wires = Wires(self._engine, _WIRES)
                self._writes = Writes(self._engine, wires, self._sql, self.codec)
                self._reads = Reads(self._engine, wires, self._sql)
                self._claims = Claims(self._engine, self._sql)
                self._watch = Wire(self._engine, asynchronous=True, patience="5s")
                self._parts = (self._writes, self._reads, wires, self._claims, self._watch)
            self._opened += 1

    async def close(self) -> None:
        """Let what is under way end, and give all connections back."""
        async with self._opening:
            self._opened = max(0, self._opened - 1)
            if self._opened:
                return
            parts, self._parts = self._parts, ()
            try:
                for part in parts:
                    await part.close()
            finally:
                await self._engines.dispose()

    async def get(
        self,
        id: str,
        *,
        workflow: object = None,
        version: int | None = None,
        history: bool = True,
        session: object = None,
    ) -> Instance:
        """Return a run by run id or id; see `Storage.get`."""
        within = None if session is None else await connection_of(session)
        if not rows.is_storable(id):
            raise InstanceNotFound(id)
        # No business id is without a `::`, and hardly a run id has one.
        if workflow is not None or version is not None or "::" in id:
            id = await self._find(id, workflow, version, within)
        row = await self._reads.row(id, history=history, within=within)
        entries: Sequence[Entry] = ()
        if history:
            entries = rows.entries_of(row["run_id"], row["history"], self.codec)
        return rows.instance_of(row, self.codec, entries)

    async def put(self, instance: Instance) -> None:
        """Restore or import a run; see `Storage.put`."""
        instance = importable(instance)
        row = (*run_row(instance, self.codec), instance.revision)
        made = [rows.entry_row(entry, self.codec) for entry in instance.execution_history]
        made += [
            rows.result_row(instance, key, self.codec, mark="put") for key in instance.context.steps
        ]
        try:
            async with self._transaction(IntegrityError) as connection:
                await run(connection, self._sql.put, *row)
                await run(connection, self._sql.unset_results, instance.run_id)
                if made:
                    await run(connection, *self._sql.record(made))
        except IntegrityError as error:
            raise await self._writes.refused(instance, error) from cause(error)

    async def delete(self, id: str) -> bool:
        """Delete all runs of an id, or the run of a run id."""
        if not rows.is_storable(id):
            return False
        async with self._transaction() as connection:
            # Those who write wait, so that the second statement sees all they wrote.
            doomed = [row["run_id"] for row in await run(connection, self._sql.doomed, id)]
            await run(connection, self._sql.delete, doomed, [*doomed, id])
        return bool(doomed)

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters."""
        async with self._transaction() as connection:
            found = await self._select.found(Filters.parse(filters), connection)
        runs = []
        for row in found:
            try:
                runs.append(rows.instance_of(row, self.codec))
            except DamagedInstance as error:
                _log.error("left out of a query: %s", error)
        return runs

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        async with self._transaction() as connection:
            return await self._select.count(Filters.parse(filters), connection)

    async def record(self, entry: Entry) -> None:
        """Append an entry to a history."""
        row = rows.entry_row(recordable(entry), self.codec)
        async with self._transaction() as connection:
            await run(connection, *self._sql.record([row]))

    async def entries(self, id: str) -> list[Entry]:
        """Return the history of a run."""
        if not rows.is_storable(id):
            return []
        try:
            run_id = await self._find(id, None, None)
        except InstanceNotFound:
            run_id = id
        async with self._transaction() as connection:
            (row,) = await run(connection, self._sql.entries, run_id)
        return rows.entries_of(run_id, row["history"], self.codec)

    async def ids(self, workflow: object = None, limit: int | None = None) -> list[str]:
        """Return the distinct ids, newest run first."""
        given = {} if workflow is None else {"workflow": workflow}
        limit = Filters.parse({"limit": limit}).limit
        async with self._transaction() as connection:
            return await self._select.ids(Filters.parse(given), limit, connection)

    async def prune(
        self,
        before: datetime,
        *,
        statuses: Collection[Status] | None = None,
        limit: int = 1000,
    ) -> int:
        """Delete finished runs that ended before a time; one that somebody writes is left."""
        wanted = sorted(checked_pruning(before, statuses, limit))
        async with self._transaction() as connection:
            found = await run(connection, self._sql.old, before, wanted, limit)
            old = [row["run_id"] for row in found]
            await run(connection, self._sql.delete, old, old)
        return len(old)

    async def create(self, change: Change, *, session: object = None) -> None:
        """Insert a run; see `Storage.create`."""
        if session is None:
            await self._writes.create(change)
        else:
            await self._writes.create_in(await connection_of(session), change)

    async def load(self, run_id: str) -> Snapshot:
        """Return a run with its inbox and leases."""
        return rows.snapshot_of(await self._reads.row(run_id, inbox=True), self.codec)

    async def commit(self, change: Change) -> None:
        """Write a change against the revision that it was computed from."""
        await self._writes.commit(change)

    def transaction(self, run_id: str) -> AbstractAsyncContextManager[Transaction]:
        """Return a transaction for a step of a run, on a connection of its own pool."""
        return step_transaction(self._engines.steps, run_id, self._sql, self.codec)

    async def post(self, message: Message, *, session: object = None) -> bool:
        """Put a message into its run's inbox."""
        if session is None:
            return await self._writes.post(message)
        return await self._writes.post_in(await connection_of(session), message)

    def when_committed(self, session: object, call: Callable[[], object]) -> None:
        """Call back after the commit of a session; a connection tells of it too early."""
        if isinstance(session, AsyncSession):
            event.listen(session.sync_session, "after_commit", lambda _: call(), once=True)

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back."""
        async with self._transaction() as connection:
            return bool(await run(connection, self._sql.withdraw, message_id))

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        """Return runs that need attention, each to one caller."""
        names, versions = zip(*workflows, strict=True) if workflows else ((), ())
        with mapped():
            found = await self._watch.fetch(
                self._sql.due, now, limit, list(names), list(versions), now + hand_over
            )
        return [row["run_id"] for row in found]

    async def claim(
        self,
        lease: Lease,
        now: datetime,  # noqa: ARG002  # nobody takes an expired lease over
        *,
        results: Collection[str],
    ) -> Instance | None:
        """Take a lease, or answer None."""
        row = await self._claims.take(lease, results)
        return None if row is None else rows.instance_of(row, self.codec)

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        """Extend leases, and return those that are lost."""
        with mapped():
            found = await self._watch.fetch(self._sql.renew, *leasing.by_run(leases), now, until)
        return leasing.lost(leases, found, now)

    async def release(self, leases: Sequence[Lease], now: datetime) -> None:
        """Give leases back."""
        with mapped():
            await self._watch.fetch(self._sql.release, *leasing.by_run(leases), now)

    async def adopt(self, owner: Owner, now: datetime) -> int:
        """Expire the leases of earlier incarnations of a name."""
        if owner.name is None:
            return 0
        with mapped():
            (row,) = await self._watch.fetch(self._sql.adopt, owner.name, owner.incarnation, now)
        return int(row["adopted"])

    async def _find(
        self,
        id: str,
        workflow: object,
        version: int | None,
        within: AsyncConnection | None = None,
    ) -> str:
        """Return the run id of the run that an id means."""
        given = {"workflow": workflow, "workflow_version": version}
        wanted = Filters.parse({k: v for k, v in given.items() if v is not None})
        found = [row for row in await self._reads.runs_of(id, within=within) if _fits(row, wanted)]
        if not found:
            raise InstanceNotFound(id)
        first: str = found[0]["run_id"]
        if first == id:
            return first
        unfinished = [row for row in found if row["status"] not in TERMINAL]
        if len(unfinished) > 1:
            runs = [(row["run_id"], row["workflow"], row["workflow_version"]) for row in unfinished]
            raise AmbiguousInstance(id, runs)
        return first

    @asynccontextmanager
    async def _transaction(self, *but: type[Exception]) -> AsyncIterator[AsyncConnection]:
        with mapped(*but):
            async with self._engine.begin() as connection:
                yield connection


def _fits(row: Record, wanted: Filters) -> bool:
    """Tell whether a run is of the workflow and version that are asked for."""
    version = wanted.workflow_version
    return wanted.names(row["workflow"]) and version in (None, row["workflow_version"])
