"""What a query selects: in which indexes it looks, between which places, and what passes."""

from collections.abc import Collection

import msgspec

from hephaestus import data
from hephaestus.errors import DamagedInstance
from hephaestus.instance import Status
from hephaestus.storage import Filters, contains
from hephaestus_redis import keys
from hephaestus_redis.rows import Fields, to_context

COLUMNS = ("id", "workflow", "version", "created", "status", "updated", "tags")
"""The fields that filters ask for, the context apart."""


class Selection:
    """The filters of one query, as the stored fields are compared with them.

    Args:
        cursor: The place of the run after which the answer begins.
    """

    def __init__(self, filters: Filters, cursor: bytes | None = None) -> None:
        self.filters = filters
        self.newest = filters.order == "newest"
        self.low, self.high = _bounds(filters)
        if cursor is not None and self.newest:
            self.high = min(self.high, cursor)
        elif cursor is not None:
            self.low = max(self.low, cursor)
        # As the same data would be stored.
        self._part = (
            None if filters.context is None else msgspec.json.decode(data.dumps(filters.context))
        )

    @property
    def is_indexed(self) -> bool:
        """Whether the indexes answer it: what lies in them, between its places, passes."""
        wanted = self.filters
        rest = (wanted.id, wanted.run_id, wanted.workflow_version, wanted.tag, wanted.context,
                wanted.updated_after, wanted.updated_before)  # fmt: skip
        return all(value is None for value in rest)

    @property
    def statuses(self) -> Collection[str]:
        """The statuses to look for; an empty text stands for all."""
        status, several = self.filters.status, self.filters.status_in
        if several is None:
            return (status or "",)
        wanted: set[Status] = set(several)
        return wanted if status is None else wanted & {status}

    @property
    def names_workflows(self) -> bool:
        """Whether it asks for workflows by a part of their names."""
        return bool(self.filters.families) or self.filters.umbrella is not None

    def takes(self, run_id: str, fields: Fields) -> bool:
        """Return whether a run passes by all that is in its columns.

        Raises:
            DamagedInstance: They cannot be read.
        """
        try:
            return self._takes(run_id, fields)
        except (LookupError, ValueError, RecursionError) as error:
            raise DamagedInstance(run_id, f"in its columns: {error!r}") from error

    def contains(self, run_id: str, fields: Fields) -> bool:
        """Return whether a run passes by its context.

        Raises:
            DamagedInstance: It cannot be read.
        """
        try:
            return self._part is None or contains(to_context(fields), self._part)
        except (LookupError, ValueError, RecursionError) as error:
            raise DamagedInstance(run_id, f"in its context: {error!r}") from error

    def _takes(self, run_id: str, fields: Fields) -> bool:
        wanted = self.filters
        status = fields[b"status"].decode()
        return (
            self.low < place(run_id, fields) < self.high
            and wanted.run_id in (None, run_id)
            and (wanted.id is None or keys.encode(wanted.id) == fields[b"id"])
            and (self.statuses == ("",) or status in self.statuses)
            and wanted.names(fields[b"workflow"].decode())
            and wanted.workflow_version in (None, int(fields[b"version"]))
            and (wanted.tag is None or wanted.tag in msgspec.json.decode(fields[b"tags"]))
            and self._was_updated(fields.get(b"updated"))
        )

    def _was_updated(self, updated: bytes | None) -> bool:
        after, before = self.filters.updated_after, self.filters.updated_before
        if updated is None:
            return after is None and before is None
        return (after is None or keys.moment(after).encode() < updated) and (
            before is None or updated < keys.moment(before).encode()
        )


def place(run_id: str, fields: Fields) -> bytes:
    """Return the place of a run in the order of creation."""
    return fields[b"created"] + keys.encode(run_id)


def _bounds(filters: Filters) -> tuple[bytes, bytes]:
    """Return the places between which, both excluded, lies what was created in time."""
    # Every place begins with a digit.
    low, high = b"", b":"
    if filters.created_after is not None:
        low = keys.next_moment(filters.created_after).encode()
    if filters.created_before is not None:
        high = keys.moment(filters.created_before).encode()
    return low, high
