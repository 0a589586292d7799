"""Reads by run id that travel together."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hephaestus.errors import InstanceNotFound
from hephaestus_postgres.batcher import Batcher
from hephaestus_postgres.failures import mapped
from hephaestus_postgres.sql import Statements
from hephaestus_postgres.transaction import run
from hephaestus_postgres.wire import Record, Wires


class _Question(NamedTuple):
    run_id: str
    inbox: bool
    history: bool


class Reads:
    """Reads runs, each with its inbox or its history as they were at the same moment."""

    def __init__(self, engine: AsyncEngine, wires: Wires, statements: Statements) -> None:
        self._engine = engine
        self._wires = wires
        self._sql = statements
        self._reads: Batcher[_Question, Record] = Batcher(self._read, self._read_alone)
        self._finds: Batcher[str, Sequence[Record]] = Batcher(self._find, self._find_alone)

    async def close(self) -> None:
        """Let what is under way end."""
        for batcher in (self._reads, self._finds):
            await batcher.idle()

    async def row(
        self,
        run_id: str,
        *,
        inbox: bool = False,
        history: bool = False,
        within: AsyncConnection | None = None,
    ) -> Record:
        """Return the row of a run.

        Args:
            within: Look in the transaction of this connection, and not together with others.

        Raises:
            InstanceNotFound: There is none.
            StorageUnavailable: It could not be read.
        """
        question = _Question(run_id, inbox, history)
        if within is None:
            return await self._reads.send(question)
        with mapped(repeatable=True):
            return await self._read_in(within, question)

    async def runs_of(self, id: str, *, within: AsyncConnection | None = None) -> Sequence[Record]:
        """Return the runs that an id may mean, the likeliest first, without their data.

        Args:
            within: As for `row`.

        Raises:
            StorageUnavailable: They could not be read.
        """
        if within is None:
            return await self._finds.send(id)
        with mapped(repeatable=True):
            return await run(within, self._sql.find, [id])

    async def _read(self, asked: Sequence[_Question]) -> Sequence[Record | Exception]:
        found = await self._wires.fetch(*self._sql.read(asked))
        rows = {row["place"] - 1: row for row in found}
        return [
            rows.get(place) or InstanceNotFound(question.run_id)
            for place, question in enumerate(asked)
        ]

    async def _read_alone(self, question: _Question) -> Record:
        with mapped():
            async with self._engine.connect() as connection:
                return await self._read_in(connection, question)

    async def _read_in(self, connection: AsyncConnection, question: _Question) -> Record:
        found = await run(connection, *self._sql.read([question]))
        if not found:
            raise InstanceNotFound(question.run_id)
        return found[0]

    async def _find(self, ids: Sequence[str]) -> Sequence[Sequence[Record]]:
        found: list[list[Record]] = [[] for _ in ids]
        for row in await self._wires.fetch(self._sql.find, list(ids)):
            found[row["place"] - 1].append(row)
        return found

    async def _find_alone(self, id: str) -> Sequence[Record]:
        with mapped():
            async with self._engine.connect() as connection:
                return await run(connection, self._sql.find, [id])
