"""Wires that several kinds of statements share."""

from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus_postgres.wire import Record, Wire


class Wires:
    """Sends each statement by the first wire that is free.

    What follows one another goes by one wire: a backend that has just worked, and whose process
    is still warm, answers sooner than one that has to be woken. What overlaps goes by several.

    Args:
        count: How many statements may be under way.
    """

    def __init__(self, engine: AsyncEngine, count: int) -> None:
        self._wires = [Wire(engine) for _ in range(count)]

    async def fetch(self, sql: str, *values: object) -> list[Record]:
        """Run a statement; see `Wire.fetch`."""
        for wire in self._wires:
            if not wire.is_busy:
                return await wire.fetch(sql, *values)
        return await self._wires[-1].fetch(sql, *values)

    async def close(self) -> None:
        """Give the connections back at once."""
        for wire in self._wires:
            await wire.close()
