"""Which runs a query returns, and in which order."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from hephaestus import data
from hephaestus.errors import DamagedInstance, InvalidArgument
from hephaestus.memory.row import Row, as_context
from hephaestus.storage import Filters, contains

_log = logging.getLogger("hephaestus.storage")


def select(rows: Iterable[Row], filters: Filters) -> list[Row]:
    """Return the rows that pass, in order, from the cursor on, up to the limit.

    Raises:
        InvalidArgument: The cursor names a run that is not stored.
    """
    newest = filters.order == "newest"
    everything = sorted(rows, key=_place, reverse=newest)
    if filters.after is not None:
        everything = _behind(everything, filters.after)
    return list(islice(matching(everything, filters), filters.limit))


def matching(rows: Iterable[Row], filters: Filters) -> Iterator[Row]:
    """Return the rows that pass every filter; order, limit and cursor apart."""
    found = (row for row in rows if passes(row, filters))
    if filters.context is None:
        return found
    # As the same data would be stored.
    part = msgspec.json.decode(data.dumps(filters.context))
    return (row for row in found if _has(row, part))


def passes(row: Row, filters: Filters) -> bool:
    """Return whether the row passes the filters that ask for its columns."""
    equal = (
        (filters.id, row.id),
        (filters.run_id, row.run_id),
        (filters.status, row.status),
        (filters.workflow_version, row.workflow_version),
    )
    return (
        all(wanted is None or wanted == value for wanted, value in equal)
        and (filters.status_in is None or row.status in filters.status_in)
        and filters.names(row.workflow)
        and (filters.tag is None or filters.tag in row.tags)
        and _between(row.created_at, filters.created_after, filters.created_before)
        and _between(row.updated_at, filters.updated_after, filters.updated_before)
    )


def _place(row: Row) -> tuple[datetime, str]:
    return (row.created_at, row.run_id)


def _behind(rows: list[Row], run_id: str) -> list[Row]:
    for place, row in enumerate(rows):
        if row.run_id == run_id:
            return rows[place + 1 :]
    raise InvalidArgument(f"after={run_id!r} names a run that is not stored any more")


def _between(value: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    if after is not None and (value is None or value <= after):
        return False
    return before is None or (value is not None and value < before)


def _has(row: Row, part: Any) -> bool:
    try:
        return contains(as_context(row), part)
    except (ValueError, RecursionError) as error:
        _log.error("left out of a query: %s", DamagedInstance(row.run_id, str(error)))
        return False
