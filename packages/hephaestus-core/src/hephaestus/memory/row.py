"""One run as the memory storage keeps it: bytes, as any storage would."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.context import Context
from hephaestus.errors import DamagedInstance
from hephaestus.instance import TERMINAL, Entry, Instance, Status
from hephaestus.message import Message
from hephaestus.storage import Change, Lease, Snapshot

_AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Letter(msgspec.Struct):
    """A message in an inbox."""

    message: Message
    """Its body is cut off; `body` holds it."""

    body: bytes
    ends: tuple[str, int] | None
    """The step and the attempt whose outcome it is."""

    seen: bool = False


class Row(msgspec.Struct):
    """One run, its inbox and its leases."""

    id: str
    run_id: str
    workflow: str
    workflow_version: int
    created_at: datetime
    tags: tuple[str, ...]
    initial: bytes
    unique_key: str | None
    status: Status = "pending"
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    revision: int = 0
    token: str = ""
    state: bytes = b""
    results: dict[str, bytes] = {}
    ready: dict[str, int] = {}
    """The attempt of each ready step."""

    wake_at: datetime | None = None
    handed_until: datetime | None = None
    inbox: dict[str, Letter] = {}
    dedup_keys: set[str] = set()
    leases: dict[tuple[str, int], Lease] = {}

    @classmethod
    def of(cls, instance: Instance, codec: Codec) -> "Row":
        """Return the row of a run that was never stored; its state is still to be written."""
        return cls(
            id=instance.id,
            run_id=instance.run_id,
            workflow=instance.workflow,
            workflow_version=instance.workflow_version,
            created_at=instance.created_at,
            tags=instance.tags,
            initial=codec.dump(instance.context.initial),
            unique_key=instance.unique_key,
        )

    @classmethod
    def restored(cls, instance: Instance, stored: "Row | None", codec: Codec) -> "Row":
        """Return the row of a run that is put, with what a put leaves alone of the stored one."""
        row = cls.of(instance, codec)
        row.write_state(instance, codec)
        row.results = {key: codec.dump(value) for key, value in instance.context.steps.items()}
        row.revision = instance.revision + 1
        if stored is not None:
            row.created_at, row.workflow_version = stored.created_at, stored.workflow_version
            row.inbox, row.dedup_keys = stored.inbox, stored.dedup_keys
            row.revision = stored.revision + 1
        row.updated_at = instance.updated_at or row.created_at
        if row.finished:
            row.finished_at = instance.finished_at or row.created_at
        else:
            row.wake_at = _AT_ONCE
        return row

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self.status in TERMINAL

    def is_as_read_by(self, change: Change) -> bool:
        """Return whether nothing is gone that the change was computed from."""
        for new in change.granted:
            if self.is_leased((new.step, new.attempt)):
                return False
        return self.revision == change.instance.revision - 1

    def is_leased(self, place: tuple[str, int]) -> bool:
        """Return whether a step at an attempt has an unreleased lease, expired or not."""
        held = self.leases.get(place)
        return held is not None and not held.released

    def write(self, change: Change, results: Mapping[str, bytes], codec: Codec) -> None:
        """Take the change, and its results as bytes; what can fail happens first."""
        instance = change.instance
        self.write_state(instance, codec)
        self.results.update(results)
        self.revision = instance.revision
        self.token = change.token
        self.wake_at = change.wake_at
        for message_id in change.consumed:
            self.inbox.pop(message_id, None)
        for message_id in change.kept:
            if message_id in self.inbox:
                self.inbox[message_id].seen = True
        for ended in change.ended:
            self.leases.pop(ended, None)
        for freed in change.freed:
            if not self.is_leased(freed):
                self.leases.pop(freed, None)
        for lease in change.granted:
            self.leases[lease.step, lease.attempt] = lease

    def write_state(self, instance: Instance, codec: Codec) -> None:
        """Take the columns and the state of an instance; a hand-over ends."""
        self.state = codec.dump_state(instance)
        self.status = instance.status
        self.updated_at = instance.updated_at
        self.finished_at = instance.finished_at
        self.handed_until = None
        self.ready = {}
        for key, step in instance.active.items():
            if step.state == "ready":
                self.ready[key] = step.attempt

    def instance(
        self,
        codec: Codec,
        history: tuple[Entry, ...] = (),
        results: Collection[str] | None = None,
    ) -> Instance:
        """Return the run as a fresh value, with these results or with all.

        Raises:
            DamagedInstance: Its bytes cannot be read.
        """
        wanted = self.results if results is None else self.results.keys() & results
        try:
            return Instance(
                id=self.id,
                run_id=self.run_id,
                workflow=self.workflow,
                workflow_version=self.workflow_version,
                status=self.status,
                tags=self.tags,
                created_at=self.created_at,
                updated_at=self.updated_at,
                finished_at=self.finished_at,
                revision=self.revision,
                unique_key=self.unique_key,
                execution_history=history,
                context=Context(
                    initial=codec.load(self.initial),
                    steps={key: codec.load(self.results[key]) for key in wanted},
                ),
                **codec.load_state(self.state),
            )
        except (ValueError, TypeError, RecursionError) as error:
            raise DamagedInstance(self.run_id, str(error)) from error

    def snapshot(self, codec: Codec) -> Snapshot:
        """Return the run with its inbox and leases.

        Raises:
            DamagedInstance: Its bytes, or those of a message, cannot be read.
        """
        try:
            letters = tuple(
                msgspec.structs.replace(
                    letter.message, body=codec.load_body(letter.body), seen=letter.seen
                )
                for letter in self.inbox.values()
            )
        except (ValueError, RecursionError) as error:
            raise DamagedInstance(self.run_id, f"in its inbox: {error}") from error
        return Snapshot(
            instance=self.instance(codec), inbox=letters, leases=tuple(self.leases.values())
        )

    def due_at(self) -> datetime | None:
        """Return the time from which the run needs attention, hand-overs apart."""
        if self.status == "failed":
            return None
        times = [] if self.finished else [lease.until for lease in self.leases.values()]
        if self.wake_at is not None and not self.finished:
            times.append(self.wake_at)
        unseen = [letter.message for letter in self.inbox.values() if not letter.seen]
        times.extend(message.not_before or _AT_ONCE for message in unseen)
        return min(times, default=None)


def as_context(row: Row) -> dict[str, Any]:
    """Return the context as it is stored: plain JSON."""
    steps = {key: msgspec.json.decode(raw) for key, raw in row.results.items()}
    return {"initial": msgspec.json.decode(row.initial), "steps": steps}
