"""Finding runs: by their ids, and by filters, page by page in the order of creation."""

import logging
from collections.abc import AsyncIterator, Sequence

from hephaestus.codec import Codec
from hephaestus.errors import (
    AmbiguousInstance,
    DamagedInstance,
    InstanceNotFound,
    InvalidArgument,
)
from hephaestus.instance import TERMINAL, Instance
from hephaestus.storage import Filters
from hephaestus_redis import script
from hephaestus_redis.keys import Keys
from hephaestus_redis.pipeline import Pipeline
from hephaestus_redis.rows import Fields, named, paired, to_instance
from hephaestus_redis.selection import COLUMNS, Selection, place

_log = logging.getLogger("hephaestus.storage")
_PAGE = 100
"""How many runs are looked at in one round trip."""

_FEW = 10
"""How many runs of one id are looked at in one round trip."""

_MOMENT = 18
"""The length of the time that a place begins with."""


class Queries:
    """Reads that look for runs, on a pipeline of their own."""

    def __init__(self, pipeline: Pipeline, keys: Keys, codec: Codec) -> None:
        self._pipeline = pipeline
        self._keys = keys
        self._codec = codec

    async def find(self, id: str, workflow: object, version: int | None) -> tuple[str, Fields]:
        """Return the run that `get` means: its run id and its fields.

        Raises:
            InstanceNotFound: Nothing fits.
            AmbiguousInstance: Several unfinished runs fit.
        """
        asked = {"workflow": workflow, "workflow_version": version}
        given = {name: value for name, value in asked.items() if value is not None}
        selection = Selection(Filters.parse(given))
        (itself,) = await self._whole([id])
        if itself:
            if not given or selection.takes(id, itself):
                return id, itself
            raise InstanceNotFound(id)
        unfinished: list[tuple[str, Fields]] = []
        async for run_id, fields in self._runs_of(id):
            if not selection.takes(run_id, fields):
                continue
            if fields[b"status"].decode() not in TERMINAL:
                unfinished.append((run_id, fields))
            elif not unfinished:
                return run_id, fields
            else:
                break
        if len(unfinished) > 1:
            raise AmbiguousInstance(id, [_named(run_id, fields) for run_id, fields in unfinished])
        if not unfinished:
            raise InstanceNotFound(id)
        return unfinished[0]

    async def has_runs(self, id: str) -> bool:
        """Return whether there are runs of an id."""
        (found,) = await self._pipeline.ask(("EXISTS", self._keys.id(id)))
        return bool(found)

    async def select(self, filters: Filters) -> list[Instance]:
        """Return the runs that pass, in order, from the cursor on, up to the limit.

        Raises:
            InvalidArgument: The cursor names a run that is not stored.
        """
        selection = Selection(filters, await self._cursor(filters.after))
        found: list[Instance] = []
        if filters.limit == 0:
            return found
        async for run_id, fields in self._passing(selection):
            try:
                found.append(to_instance(run_id, fields, self._codec))
            except DamagedInstance as error:
                _log.error("left out of a query: %s", error)
            if len(found) == filters.limit:
                break
        return found

    async def count(self, filters: Filters) -> int:
        """Return how many runs pass; limit, order and cursor apart."""
        selection = Selection(filters)
        if not selection.is_indexed:
            return sum([1 async for _ in self._passing(selection)])
        indexes = await self._indexes(selection)
        call = {"indexes": indexes, **_between(selection.low, selection.high)}
        return int(await self._pipeline.run(script.COUNT, call))

    async def ids(self, filters: Filters, limit: int | None) -> list[str]:
        """Return the distinct ids of the runs of a workflow, or of all, newest run first."""
        found: dict[str, None] = {}
        if limit == 0:
            return []
        async for page in self._pages(Selection(filters), _PAGE):
            commands = [("HGET", self._keys.run(run_id), "id") for run_id in page]
            for id in await self._pipeline.ask(*commands):
                if id is not None:
                    found[id.decode()] = None
                if len(found) == limit:
                    return list(found)
        return list(found)

    async def _passing(self, selection: Selection) -> AsyncIterator[tuple[str, Fields]]:
        """Yield the runs that pass, with all their fields where those are needed."""
        limit = selection.filters.limit
        size = _PAGE if limit is None or not selection.is_indexed else min(_PAGE, limit)
        async for page in self._pages(selection, size):
            left = page if selection.is_indexed else await self._sifted(selection, page)
            for run_id, fields in zip(left, await self._whole(left), strict=True):
                # It may have moved on, or be gone, since its page was read.
                if _passes(selection, run_id, fields, whole=True):
                    yield run_id, fields

    async def _sifted(self, selection: Selection, page: Sequence[str]) -> list[str]:
        """Return the runs of a page that pass by their columns, read without their data."""
        commands = [("HMGET", self._keys.run(run_id), *COLUMNS) for run_id in page]
        rows = [named(COLUMNS, values) for values in await self._pipeline.ask(*commands)]
        return [
            run_id
            for run_id, fields in zip(page, rows, strict=True)
            if _passes(selection, run_id, fields, whole=False)
        ]

    async def _pages(self, selection: Selection, size: int) -> AsyncIterator[list[str]]:
        """Yield the run ids that the selection has to look at, in its order."""
        filters = selection.filters
        if filters.run_id is not None:
            yield [filters.run_id]
        elif filters.id is not None:
            yield await self._run_ids(filters.id, newest=selection.newest)
        elif indexes := await self._indexes(selection):
            async for page in self._indexed(selection, indexes, size):
                yield page

    async def _indexed(
        self, selection: Selection, indexes: list[str], size: int
    ) -> AsyncIterator[list[str]]:
        low, high = selection.low, selection.high
        while True:
            call = {
                "indexes": indexes,
                "newest": selection.newest,
                "limit": size,
                **_between(low, high),
            }
            parts = await self._pipeline.run(script.PAGE, call)
            places = sorted({one for part in parts for one in part}, reverse=selection.newest)
            yield [_run_id(one) for one in places[:size]]
            if len(places) < size:
                return
            if selection.newest:
                high = places[size - 1]
            else:
                low = places[size - 1]

    async def _indexes(self, selection: Selection) -> list[str]:
        """Return the narrowest indexes that hold all that can pass."""
        workflows: Sequence[str] = (selection.filters.workflow or "",)
        if selection.names_workflows:
            (names,) = await self._pipeline.ask(("SMEMBERS", self._keys.workflows))
            workflows = [name for raw in names if selection.filters.names(name := raw.decode())]
        return [
            self._keys.index(status, workflow)
            for status in selection.statuses
            for workflow in workflows
        ]

    async def _cursor(self, run_id: str | None) -> bytes | None:
        if run_id is None:
            return None
        (created,) = await self._pipeline.ask(("HGET", self._keys.run(run_id), "created"))
        if created is None:
            raise InvalidArgument(f"after={run_id!r} names a run that is not stored any more")
        return place(run_id, {b"created": created})

    async def _runs_of(self, id: str) -> AsyncIterator[tuple[str, Fields]]:
        """Yield the runs of an id: unfinished ones first, then the newest."""
        first = 0
        while True:
            last = first + _FEW - 1
            (places,) = await self._pipeline.ask(("ZRANGE", self._keys.id(id), first, last, "REV"))
            run_ids = [_run_id(one) for one in places]
            for run_id, fields in zip(run_ids, await self._whole(run_ids), strict=True):
                if fields:
                    yield run_id, fields
            if len(places) < _FEW:
                return
            first += _FEW

    async def _run_ids(self, id: str, *, newest: bool) -> list[str]:
        """Return the run ids of an id in the order of creation."""
        (places,) = await self._pipeline.ask(("ZRANGE", self._keys.id(id), 0, -1))
        return [_run_id(one) for one in sorted(places, reverse=newest)]

    async def _whole(self, run_ids: Sequence[str]) -> list[Fields]:
        commands = [("HGETALL", self._keys.run(run_id)) for run_id in run_ids]
        return [paired(reply) for reply in await self._pipeline.ask(*commands)]


def _between(low: bytes, high: bytes) -> dict[str, str]:
    """Return the bounds of a range, both excluded."""
    return {"low": f"({low.decode()}", "high": f"({high.decode()}"}


def _run_id(one: bytes) -> str:
    return one[_MOMENT:].decode()


def _named(run_id: str, fields: Fields) -> tuple[str, str, int]:
    return run_id, fields[b"workflow"].decode(), int(fields[b"version"])


def _passes(selection: Selection, run_id: str, fields: Fields, *, whole: bool) -> bool:
    """Return whether a run that is still there passes; a damaged one does not, and is logged."""
    try:
        return (
            bool(fields)
            and selection.takes(run_id, fields)
            and (not whole or selection.contains(run_id, fields))
        )
    except DamagedInstance as error:
        _log.error("left out of a query: %s", error)
        return False
