"""MemoryStorage: the contract in dictionaries, through the same codec as the others."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hephaestus.codec import Codec
from hephaestus.errors import (
    AlreadyRunning,
    AmbiguousInstance,
    DamagedInstance,
    InstanceNotFound,
    StaleInstance,
)
from hephaestus.instance import Entry, Instance, Status
from hephaestus.memory.histories import Histories
from hephaestus.memory.row import Letter, Row
from hephaestus.memory.select import matching, passes, select
from hephaestus.message import CancelRequested, Message, StepEnded
from hephaestus.storage import (
    Change,
    Filters,
    Lease,
    Owner,
    Snapshot,
    Transactionless,
    checked_pruning,
    importable,
    recordable,
)

_log = logging.getLogger("hephaestus.storage")
_BODY = CancelRequested()


class MemoryStorage(Transactionless):
    """Keeps runs in this process, for tests, prototypes and work that need not survive it.

    Its rows outlive the app that uses it, and serve the next one, or several at once.
    No verb of it waits, so each is atomic on its event loop.
    """

    durable: ClassVar[bool] = False
    transactional: ClassVar[bool] = False

    def __init__(self, *, codec: Codec | None = None) -> None:
        self.codec = codec or Codec()
        self._rows: dict[str, Row] = {}
        self._runs: dict[str, list[str]] = {}
        self._unfinished: dict[str, Row] = {}
        self._holders: dict[str, str] = {}
        self._addressees: dict[str, str] = {}
        self._histories = Histories(self.codec)
        self._sequence = 0

    async def open(self) -> None:
        """Do nothing: memory is always open."""

    async def close(self) -> None:
        """Do nothing: the rows stay for the next app."""

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
        self.refuse_session(session)
        row = self._find(id, workflow, version)
        entries = tuple(self._histories.of(row.run_id)) if history else ()
        return row.instance(self.codec, entries)

    async def put(self, instance: Instance) -> None:
        """Restore or import a run; see `Storage.put`."""
        instance = importable(instance)
        self._check_key(instance)
        stored = self._rows.get(instance.run_id)
        row = Row.restored(instance, stored, self.codec)
        entries = self._histories.cut(instance.execution_history)
        if stored is not None:
            self._forget(stored)
        self._store(row)
        self._histories.add(entries)

    async def delete(self, id: str) -> bool:
        """Delete all runs of an id, or the run of a run id."""
        runs = [id] if id in self._rows else list(self._runs.get(id, ()))
        for run_id in runs:
            self._remove(self._rows[run_id])
        self._histories.drop(id)
        return bool(runs)

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters."""
        found = []
        for row in select(self._rows.values(), Filters.parse(filters)):
            try:
                found.append(row.instance(self.codec))
            except DamagedInstance as error:
                _log.error("left out of a query: %s", error)
        return found

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        return sum(1 for _ in matching(self._rows.values(), Filters.parse(filters)))

    async def record(self, entry: Entry) -> None:
        """Append an entry to a history."""
        self._histories.add(self._histories.cut([recordable(entry)]))

    async def entries(self, id: str) -> list[Entry]:
        """Return the history of a run."""
        run_id = self._find(id, None, None).run_id if id in self._runs else id
        return self._histories.of(run_id)

    async def ids(self, workflow: object = None, limit: int | None = None) -> list[str]:
        """Return the distinct ids, newest run first."""
        given = {} if workflow is None else {"workflow": workflow}
        limit = Filters.parse({"limit": limit}).limit
        found = dict.fromkeys(row.id for row in select(self._rows.values(), Filters.parse(given)))
        return list(found)[:limit]

    async def prune(
        self,
        before: datetime,
        *,
        statuses: Collection[Status] | None = None,
        limit: int = 1000,
    ) -> int:
        """Delete finished runs that ended before a time."""
        wanted = checked_pruning(before, statuses, limit)
        old = sorted(
            (row.finished_at, row.run_id)
            for row in self._rows.values()
            if row.status in wanted
            and row.finished_at is not None and row.finished_at < before
        )  # fmt: skip
        for _, run_id in old[:limit]:
            self._remove(self._rows[run_id])
        return len(old[:limit])

    async def create(self, change: Change, *, session: object = None) -> None:
        """Insert a run; see `Storage.create`."""
        self.refuse_session(session)
        instance = change.instance
        if instance.run_id in self._rows:
            return
        self._check_key(instance)
        row = Row.of(instance, self.codec)
        self._write(row, change)
        self._store(row)

    async def load(self, run_id: str) -> Snapshot:
        """Return a run with its inbox and leases."""
        return self._row(run_id).snapshot(self.codec)

    async def commit(self, change: Change) -> None:
        """Write a change against the revision that it was computed from."""
        instance = change.instance
        row = self._rows.get(instance.run_id)
        if row is None:
            raise StaleInstance(instance.run_id, instance.revision - 1)
        if row.revision == instance.revision and row.token == change.token:
            return
        if not row.is_as_read_by(change):
            raise StaleInstance(instance.run_id, instance.revision - 1)
        was_finished = row.finished
        if was_finished and not instance.is_finished:
            self._check_key(instance)
        self._write(row, change)
        for message_id in change.consumed:
            self._addressees.pop(message_id, None)
        if row.finished != was_finished:
            self._index(row)

    async def post(self, message: Message, *, session: object = None) -> bool:
        """Put a message into its run's inbox."""
        self.refuse_session(session)
        row = self._row(message.run_id)
        if message.dedup_key in row.dedup_keys:
            return False
        body = self.codec.dump_body(message.body)
        self._sequence += 1
        cut = msgspec.structs.replace(message, body=_BODY, sequence=self._sequence)
        row.inbox[message.id] = Letter(cut, body, _ends(message))
        row.dedup_keys.add(message.dedup_key)
        self._addressees[message.id] = row.run_id
        return True

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back."""
        run_id = self._addressees.pop(message_id, None)
        if run_id is None:
            return False
        row = self._rows[run_id]
        del row.inbox[message_id]
        row.revision += 1
        return True

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        """Return runs that need attention, each to one caller."""
        found = []
        told = {run_id: self._rows[run_id] for run_id in self._addressees.values()}
        for row in (self._unfinished | told).values():
            at = row.due_at()
            handed = row.handed_until is not None and row.handed_until > now
            known = (row.workflow, row.workflow_version) in workflows
            if at is not None and at <= now and not handed and known:
                found.append((at, row.run_id))
        found.sort()
        for _, run_id in found[:limit]:
            self._rows[run_id].handed_until = now + hand_over
        return [run_id for _, run_id in found[:limit]]

    async def claim(
        self,
        lease: Lease,
        now: datetime,  # noqa: ARG002  # nobody takes an expired lease over
        *,
        results: Collection[str],
    ) -> Instance | None:
        """Take a lease, or answer None."""
        row = self._rows.get(lease.run_id)
        place = (lease.step, lease.attempt)
        if row is None or row.ready.get(lease.step) != lease.attempt or row.finished:
            return None
        if row.is_leased(place) or any(letter.ends == place for letter in row.inbox.values()):
            return None
        instance = row.instance(self.codec, results=results)
        row.leases[place] = lease
        return instance

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        """Extend leases, and return those that are lost."""
        lost = []
        for lease in leases:
            row, held = self._held(lease, now)
            if row is None or held is None:
                lost.append(lease)
            else:
                longer = msgspec.structs.replace(held, until=max(held.until, until))
                row.leases[lease.step, lease.attempt] = longer
        return lost

    async def release(self, leases: Sequence[Lease], now: datetime) -> None:
        """Give leases back."""
        for lease in leases:
            row, held = self._held(lease, now)
            if row is not None and held is not None:
                free = msgspec.structs.replace(held, until=now, released=True)
                row.leases[lease.step, lease.attempt] = free
                row.handed_until = None

    async def adopt(self, owner: Owner, now: datetime) -> int:
        """Expire the leases of earlier incarnations of a name."""
        count = 0
        for row in self._unfinished.values():
            for place, lease in row.leases.items():
                other = lease.owner
                if (
                    owner.name is not None and other.name == owner.name
                    and other.incarnation != owner.incarnation
                    and not lease.released and lease.until > now
                ):  # fmt: skip
                    row.leases[place] = msgspec.structs.replace(lease, until=now)
                    count += 1
        return count

    def _row(self, run_id: str) -> Row:
        row = self._rows.get(run_id)
        if row is None:
            raise InstanceNotFound(run_id)
        return row

    def _find(self, id: str, workflow: object, version: int | None) -> Row:
        if id in self._rows and workflow is None and version is None:
            return self._rows[id]
        given = {"workflow": workflow, "workflow_version": version}
        wanted = Filters.parse({k: v for k, v in given.items() if v is not None})
        runs = [id] if id in self._rows else self._runs.get(id, [])
        rows = [row for run in runs if passes(row := self._rows[run], wanted)]
        if not rows:
            raise InstanceNotFound(id)
        unfinished = [row for row in rows if not row.finished]
        if len(unfinished) > 1:
            found = [(row.run_id, row.workflow, row.workflow_version) for row in unfinished]
            raise AmbiguousInstance(id, found)
        newest = max(rows, key=lambda row: (row.created_at, row.run_id))
        return unfinished[0] if unfinished else newest

    def _check_key(self, instance: Instance) -> None:
        holder = self._holders.get(instance.unique_key or "")
        if holder is not None and holder != instance.run_id and not instance.is_finished:
            raise AlreadyRunning(instance.id, holder)

    def _write(self, row: Row, change: Change) -> None:
        """Write all of a change; what can fail happens before anything is changed."""
        steps = change.instance.context.steps
        results = {}
        for key in change.results:
            results[key] = self.codec.dump(steps[key])
        entries = self._histories.cut(change.entries, results)
        row.write(change, results, self.codec)
        self._histories.add(entries)

    def _store(self, row: Row) -> None:
        self._runs.setdefault(row.id, []).append(row.run_id)
        self._rows[row.run_id] = row
        self._addressees.update(dict.fromkeys(row.inbox, row.run_id))
        self._index(row)

    def _index(self, row: Row) -> None:
        """Keep the unfinished runs and the holders of keys in step with the row's status."""
        if row.finished:
            self._rest(row)
        else:
            self._unfinished[row.run_id] = row
            if row.unique_key is not None:
                self._holders[row.unique_key] = row.run_id

    def _rest(self, row: Row) -> None:
        """Note that a run is not under way: it is due for messages alone, and holds no key."""
        self._unfinished.pop(row.run_id, None)
        if row.unique_key is not None and self._holders.get(row.unique_key) == row.run_id:
            del self._holders[row.unique_key]

    def _forget(self, row: Row) -> None:
        """Take a row out, with its inbox and its leases."""
        self._rest(row)
        for message_id in row.inbox:
            self._addressees.pop(message_id, None)
        del self._rows[row.run_id]
        self._runs[row.id].remove(row.run_id)
        if not self._runs[row.id]:
            del self._runs[row.id]

    def _remove(self, row: Row) -> None:
        self._forget(row)
        self._histories.drop(row.run_id)

    def _held(self, lease: Lease, now: datetime) -> tuple[Row | None, Lease | None]:
        """Return the lease as it is stored, if its owner has neither released nor lost it."""
        row = self._rows.get(lease.run_id)
        held = None if row is None else row.leases.get((lease.step, lease.attempt))
        if held is None or held.released or held.until <= now:
            return row, None
        mine = held.owner.incarnation == lease.owner.incarnation and held.number == lease.number
        return row, held if mine else None


def _ends(message: Message) -> tuple[str, int] | None:
    body = message.body
    return (body.step, body.attempt) if isinstance(body, StepEnded) else None
