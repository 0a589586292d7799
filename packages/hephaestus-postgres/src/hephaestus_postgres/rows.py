"""Runs, messages, leases and entries as rows of the tables, and back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.context import Context
from hephaestus.errors import DamagedInstance
from hephaestus.instance import Action, Entry, Instance, StepError
from hephaestus.message import Message, StepEnded
from hephaestus.storage import Change, Lease, Owner, Snapshot
from hephaestus_postgres.wire import Record

RESTORED = "restored"
"""The action of a row that holds a result and is no line of the history."""

BIN = timedelta(seconds=15)
"""To this the time at which a lease ends is rounded down in `due_at`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoredLease(msgspec.Struct, omit_defaults=True):
    """A lease as it stands in the row of its run, under `step/attempt`."""

    holder: str
    """`incarnation/number`: another number of one incarnation is another lease."""

    until: datetime
    name: str | None = None
    released: bool = False


class StoredMessage(msgspec.Struct):
    """A message as it is read together with its run."""

    id: str
    sequence: int
    dedup_key: str
    body: msgspec.Raw
    not_before: datetime | None
    seen: bool


class StoredEntry(msgspec.Struct):
    """An entry as it is read together with its run."""

    id: str
    action: Action
    step: str | None
    step_type: str | None
    event: str | None
    attempt: int | None
    duration: float | None
    input: msgspec.Raw
    output: msgspec.Raw
    error: StepError | None
    timestamp: datetime


_encode = msgspec.json.Encoder().encode
_results = msgspec.json.Decoder(dict[str, msgspec.Raw])
_leases = msgspec.json.Decoder(dict[str, StoredLease])
_messages = msgspec.json.Decoder(list[StoredMessage])
_entries = msgspec.json.Decoder(list[StoredEntry])
_tags = msgspec.json.Decoder(tuple[str, ...])


def is_storable(value: object) -> bool:
    """Tell whether a column of texts can hold it: what it cannot, no row has."""
    try:
        return isinstance(value, str) and b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def text(raw: bytes) -> str:
    """Return bytes of JSON as the driver wants them."""
    return raw.decode()


def place(lease: Lease) -> str:
    """Return the key under which a lease stands; no step has a slash in its key."""
    return f"{lease.step}/{lease.attempt}"


def leases_text(leases: Iterable[Lease]) -> str:
    """Return leases as they are stored."""
    stored = {
        place(lease): StoredLease(
            holder=f"{lease.owner.incarnation}/{lease.number}",
            name=lease.owner.name,
            until=lease.until.astimezone(UTC),
            released=lease.released,
        )
        for lease in leases
    }
    return text(_encode(stored))


def places_text(places: Sequence[tuple[str, int]]) -> str | None:
    """Return (step, attempt) pairs as one text; None where there are none."""
    return ",".join(f"{step}/{attempt}" for step, attempt in places) or None


def due_at(wake_at: datetime | None, leases: Iterable[Lease]) -> datetime | None:
    """Return the time from which a run may be due, as the statements compute it."""
    ends = min((lease.until for lease in leases), default=None)
    times = [] if wake_at is None else [wake_at]
    if ends is not None:
        times.append(ends - (ends - _EPOCH) % BIN)
    return min(times, default=None)


def entry_rows(change: Change, codec: Codec) -> list[tuple[Any, ...]]:
    """Return the rows of a change's entries, and of results that none of them holds."""
    results = dict.fromkeys(change.results)
    rows = []
    for entry in change.entries:
        if entry.action == "completed" and entry.step in results:
            del results[entry.step]
            output = change.instance.context.steps[entry.step]
            whole = msgspec.structs.replace(entry, output=output)
            rows.append(entry_row(whole, codec, is_result=True))
        else:
            rows.append(entry_row(entry, codec))
    rows.extend(result_row(change.instance, key, codec, mark=change.token) for key in results)
    return rows


def entry_row(entry: Entry, codec: Codec, *, is_result: bool = False) -> tuple[Any, ...]:
    """Return the row of an entry, in the order of `ENTRY_COLUMNS`."""
    return (
        entry.run_id,
        _short(entry.id, entry.run_id),
        entry.action,
        entry.step,
        entry.step_type,
        entry.event,
        entry.attempt,
        entry.duration,
        None if entry.input is None else text(codec.dump(entry.input)),
        None if entry.output is None else text(codec.dump(entry.output)),
        None if entry.error is None else text(_encode(entry.error)),
        entry.timestamp,
        is_result,
    )


def result_row(instance: Instance, key: str, codec: Codec, *, mark: str) -> tuple[Any, ...]:
    """Return the row of a result that no line of the history holds."""
    output = text(codec.dump(instance.context.steps[key]))
    at = instance.updated_at or instance.created_at
    return (
        instance.run_id, f"{RESTORED}/{mark}/{key}", RESTORED,
        key, None, None, None, None, None, output, None, at, True,
    )  # fmt: skip


ENTRY_COLUMNS = (
    "run_id", "id", "action", "step", "step_type", "event", "attempt", "duration",
    "input", "output", "error", "timestamp", "is_result",
)  # fmt: skip


def message_row(message: Message, codec: Codec) -> tuple[Any, ...]:
    """Return the row of a message."""
    body = message.body
    ends = (body.step, body.attempt) if isinstance(body, StepEnded) else (None, None)
    return (
        message.id,
        message.run_id,
        message.dedup_key,
        text(codec.dump_body(body)),
        message.not_before,
        *ends,
    )


def instance_of(row: Record, codec: Codec, history: Sequence[Entry] = ()) -> Instance:
    """Return the run of a row.

    Raises:
        DamagedInstance: It cannot be read.
    """
    run_id: str = row["run_id"]
    try:
        results = _results.decode(row["results"]) if row["results"] is not None else {}
        return Instance(
            id=row["id"],
            run_id=run_id,
            workflow=row["workflow"],
            workflow_version=row["workflow_version"],
            status=row["status"],
            unique_key=row["unique_key"],
            tags=_tags.decode(row["tags"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            finished_at=row["finished_at"],
            revision=row["revision"],
            execution_history=tuple(history),
            context=Context(
                initial=codec.load(row["initial"].encode()),
                steps={key: codec.load(bytes(raw)) for key, raw in results.items()},
            ),
            **codec.load_state(row["state"].encode()),
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, str(error)) from error


def snapshot_of(row: Record, codec: Codec) -> Snapshot:
    """Return the run of a row with its inbox and leases.

    Raises:
        DamagedInstance: It cannot be read.
    """
    run_id: str = row["run_id"]
    try:
        inbox = tuple(
            Message(
                id=stored.id,
                run_id=run_id,
                body=codec.load_body(bytes(stored.body)),
                not_before=_utc(stored.not_before),
                dedup_key=stored.dedup_key,
                sequence=stored.sequence,
                seen=stored.seen,
            )
            for stored in (_messages.decode(row["inbox"]) if row["inbox"] is not None else ())
        )
        leases = tuple(leases_of(run_id, row["leases"]))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, f"in its inbox: {error}") from error
    return Snapshot(instance=instance_of(row, codec), inbox=inbox, leases=leases)


def leases_of(run_id: str, stored: str) -> list[Lease]:
    """Return the leases of a run."""
    leases = []
    for at, lease in _leases.decode(stored).items():
        step, _, attempt = at.rpartition("/")
        incarnation, _, number = lease.holder.rpartition("/")
        leases.append(
            Lease(
                run_id=run_id,
                step=step,
                attempt=int(attempt),
                owner=Owner(incarnation=incarnation, name=lease.name),
                number=int(number),
                until=lease.until.astimezone(UTC),
                released=lease.released,
            )
        )
    return leases


def entries_of(run_id: str, stored: str | None, codec: Codec) -> list[Entry]:
    """Return a history.

    Raises:
        DamagedInstance: It cannot be read.
    """
    if stored is None:
        return []
    try:
        return [
            Entry(
                id=_long(entry.id, run_id),
                run_id=run_id,
                step=entry.step,
                step_type=entry.step_type,
                action=entry.action,
                event=entry.event,
                attempt=entry.attempt,
                duration=entry.duration,
                input=_data(entry.input, codec),
                output=_data(entry.output, codec),
                error=entry.error,
                timestamp=entry.timestamp.astimezone(UTC),
            )
            for entry in _entries.decode(stored)
        ]
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, f"in its history: {error}") from error


def _short(entry_id: str, run_id: str) -> str:
    """Return an entry's id without its run id; a backslash marks what only looks like that."""
    if entry_id.startswith(f"{run_id}/"):
        return entry_id[len(run_id) :]
    return f"\\{entry_id}" if entry_id.startswith(("/", "\\")) else entry_id


def _long(stored: str, run_id: str) -> str:
    if stored.startswith("/"):
        return run_id + stored
    return stored.removeprefix("\\")


def _data(raw: msgspec.Raw, codec: Codec) -> dict[str, Any] | None:
    stored = bytes(raw)
    return None if stored == b"null" else codec.load(stored)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
