"""What one caller writes, encoded when it asks; several of them become columns."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from hephaestus.codec import Codec
from hephaestus.instance import Instance
from hephaestus.message import Message
from hephaestus.storage import Change
from hephaestus_postgres import rows
from hephaestus_postgres.rows import ENTRY_COLUMNS, text

_CREATE = 18
_COMMIT = 11
_MESSAGES = 3
_POST = 7


class Parcel(NamedTuple):
    """A change, and the rows that are written for it."""

    change: Change
    row: tuple[Any, ...]
    entries: list[tuple[Any, ...]]
    messages: list[tuple[Any, ...]]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        row = sum(len(value) for value in self.row if isinstance(value, str))
        return row + sum(len(entry[9] or "") + 300 for entry in self.entries)


def new_run(change: Change, codec: Codec) -> Parcel:
    """Return what inserts a run.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    instance = change.instance
    row = (
        *run_row(instance, codec),
        instance.revision,
        change.token,
        rows.leases_text(change.granted),
        min((lease.until for lease in change.granted), default=None),
        change.wake_at,
        None if instance.is_finished else rows.due_at(change.wake_at, change.granted),
    )
    return Parcel(change, row, rows.entry_rows(change, codec), [])


def changed_run(change: Change, codec: Codec) -> Parcel:
    """Return what commits a change.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    instance = change.instance
    row = (
        instance.run_id,
        instance.revision,
        change.token,
        instance.status,
        text(codec.dump_state(instance)),
        instance.updated_at,
        instance.finished_at,
        change.wake_at,
        rows.places_text(change.ended),
        rows.places_text(change.freed),
        rows.leases_text(change.granted),
    )
    taken = [(instance.run_id, message_id, True) for message_id in change.consumed]
    kept = [(instance.run_id, message_id, False) for message_id in change.kept]
    return Parcel(change, row, rows.entry_rows(change, codec), taken + kept)


def create_columns(parcels: Sequence[Parcel]) -> list[list[Any]]:
    """Return the values of `CREATE`."""
    return [*_entries(parcels), *_columns([one.row for one in parcels], _CREATE)]


def commit_columns(parcels: Sequence[Parcel]) -> list[list[Any]]:
    """Return the values of `COMMIT`, and of its messages if there are any."""
    made = [*_entries(parcels), *_columns([one.row for one in parcels], _COMMIT)]
    messages = [row for one in parcels for row in one.messages]
    return [*made, *_columns(messages, _MESSAGES)] if messages else made


def post_columns(posted: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Return the values of `POST`."""
    return _columns(posted, _POST)


def entry_columns(made: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Return rows of entries as columns."""
    return _columns(made, len(ENTRY_COLUMNS))


def run_row(instance: Instance, codec: Codec) -> tuple[Any, ...]:
    """Return what the statements that insert a run begin with."""
    return (
        instance.run_id,
        instance.id,
        instance.workflow,
        instance.workflow_version,
        instance.status,
        instance.unique_key,
        text(codec.dump(instance.context.initial)),
        text(codec.dump_state(instance)),
        text(msgspec.json.encode(instance.tags)),
        instance.created_at,
        instance.updated_at,
        instance.finished_at,
    )


def message_row(message: Message, codec: Codec) -> tuple[Any, ...]:
    """Return what inserts a message.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    return rows.message_row(message, codec)


def _entries(parcels: Iterable[Parcel]) -> list[list[Any]]:
    return entry_columns([row for one in parcels for row in one.entries])


def _columns(made: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*made, strict=True)] or [[] for _ in range(width)]
