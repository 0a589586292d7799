"""What one caller writes, encoded when it asks."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from hephaestus.codec import Codec
from hephaestus.instance import Instance
from hephaestus.message import Message
from hephaestus.storage import Change
from hephaestus_postgres import rows
from hephaestus_postgres.given import Row
from hephaestus_postgres.rows import text


class Parcel(NamedTuple):
    """A change, and the rows that are written for it."""

    change: Change
    row: Row
    entries: list[Row]
    messages: list[Row]

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


def tables(parcels: Sequence[Parcel]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the rows of the runs, of their entries, and of the messages."""
    return (
        [one.row for one in parcels],
        [row for one in parcels for row in one.entries],
        [row for one in parcels for row in one.messages],
    )


def run_row(instance: Instance, codec: Codec) -> Row:
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


def message_row(message: Message, codec: Codec) -> Row:
    """Return what inserts a message.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    return rows.message_row(message, codec)
