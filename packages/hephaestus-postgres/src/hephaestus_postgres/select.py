"""Queries over the tables: what the filters ask for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from hephaestus import data
from hephaestus.errors import InvalidArgument
from hephaestus.storage import Filters
from hephaestus_postgres.tables import Tables
from hephaestus_postgres.wire import Record


class Selects:
    """Builds the queries for the tables of one storage."""

    def __init__(self, tables: Tables) -> None:
        self._runs = tables.instances
        self._entries = tables.entries
        run, entry = self._runs.c, self._entries.c
        # In the words of an index, which every plan can then use.
        self._not_completed = run.status != literal_column("'completed'")
        results = (
            select(cast(func.json_object_agg(entry.step, entry.output), Text))
            .where(entry.run_id == run.run_id, entry.is_result)
            .scalar_subquery()
        )
        self._whole = select(
            run.run_id, run.id, run.workflow, run.workflow_version, run.status, run.unique_key,
            cast(run.initial, Text).label("initial"), cast(run.state, Text).label("state"),
            cast(run.tags, Text).label("tags"), run.created_at, run.updated_at,
            run.finished_at, run.revision, results.label("results"),
        )  # fmt: skip

    async def found(self, filters: Filters, connection: AsyncConnection) -> Sequence[Record]:
        """Return the rows that pass, in order, from the cursor on, up to the limit.

        Raises:
            InvalidArgument: The cursor names a run that is not stored.
        """
        run = self._runs.c
        query = self._whole.where(*self._conditions(filters))
        place = (run.created_at, run.run_id)
        if filters.after is not None:
            seen = await self._place(filters.after, connection)
            here = tuple_(*place)
            query = query.where(here < seen if filters.order == "newest" else here > seen)
        newest = filters.order == "newest"
        query = query.order_by(*(column.desc() if newest else column.asc() for column in place))
        return (await connection.execute(query.limit(filters.limit))).mappings().all()

    async def count(self, filters: Filters, connection: AsyncConnection) -> int:
        """Return how many rows pass."""
        counted = self._counted(*self._conditions(filters))
        if filters == Filters(status="completed"):
            # No index has just these, but one has all runs, and one has the others.
            counted = self._counted() - self._counted(self._not_completed)
        return int((await connection.execute(select(counted))).scalar_one())

    async def ids(
        self, filters: Filters, limit: int | None, connection: AsyncConnection
    ) -> list[str]:
        """Return the distinct ids, that of the newest run first."""
        run = self._runs.c
        newest = (
            select(run.id, run.created_at, run.run_id)
            .where(*self._conditions(filters))
            .ext(distinct_on(run.id))
            .order_by(run.id, run.created_at.desc(), run.run_id.desc())
            .subquery()
        )
        query = select(newest.c.id).order_by(newest.c.created_at.desc(), newest.c.run_id.desc())
        return [row.id for row in await connection.execute(query.limit(limit))]

    def _counted(self, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return select(func.count()).select_from(self._runs).where(*conditions).scalar_subquery()

    async def _place(self, run_id: str, connection: AsyncConnection) -> ColumnElement[Any]:
        run = self._runs.c
        found = await connection.execute(select(run.created_at).where(run.run_id == run_id))
        created_at: datetime | None = found.scalar_one_or_none()
        if created_at is None:
            raise InvalidArgument(f"after={run_id!r} names a run that is not stored any more")
        return tuple_(literal(created_at, run.created_at.type), literal(run_id, Text))

    def _conditions(self, filters: Filters) -> list[ColumnElement[bool]]:
        run = self._runs.c
        equal = {
            run.id: filters.id,
            run.run_id: filters.run_id,
            run.status: filters.status,
            run.workflow: filters.workflow,
            run.workflow_version: filters.workflow_version,
        }
        found: list[ColumnElement[bool]] = [
            column == value for column, value in equal.items() if value is not None
        ]
        if filters.status_in is not None:
            found.append(run.status.in_(filters.status_in))
        if _excludes_completed(filters):
            found.append(self._not_completed)
        if filters.umbrella is not None:
            inside = func.starts_with(run.workflow, f"{filters.umbrella}.")
            found.append(or_(run.workflow == filters.umbrella, inside))
        found.extend(func.starts_with(run.workflow, prefix) for prefix in filters.families)
        if filters.created_after is not None:
            found.append(run.created_at > filters.created_after)
        if filters.created_before is not None:
            found.append(run.created_at < filters.created_before)
        if filters.updated_after is not None:
            found.append(run.updated_at > filters.updated_after)
        if filters.updated_before is not None:
            found.append(run.updated_at < filters.updated_before)
        if filters.tag is not None:
            found.append(run.tags.contains(_json([filters.tag])))
        if filters.context is not None:
            found.extend(self._containment(filters.context))
        return found

    def _containment(self, context: Mapping[str, Any]) -> list[ColumnElement[bool]]:
        # As the same data would be stored.
        wanted = msgspec.json.decode(data.dumps(context))
        found: list[ColumnElement[bool]] = []
        if "initial" in wanted:
            found.append(self._runs.c.initial.contains(_json(wanted["initial"])))
        if "steps" in wanted:
            if not isinstance(wanted["steps"], dict):
                return [literal(value=False)]
            found.extend(self._has_result(key, part) for key, part in wanted["steps"].items())
        return found

    def _has_result(self, key: str, part: Any) -> ColumnElement[bool]:
        entry = self._entries.c
        return exists().where(
            and_(
                entry.run_id == self._runs.c.run_id,
                entry.is_result,
                entry.step == key,
                cast(entry.output, JSONB).contains(_json(part)),
            )
        )


def _excludes_completed(filters: Filters) -> bool:
    if filters.status_in is not None and "completed" not in filters.status_in:
        return True
    return filters.status not in (None, "completed")


def _json(value: Any) -> ColumnElement[Any]:
    return cast(literal(msgspec.json.encode(value).decode(), Text), JSONB)
