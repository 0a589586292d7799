"""Claims of steps that travel together."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.storage import Lease
from hephaestus_postgres import rows
from hephaestus_postgres.batcher import Batcher
from hephaestus_postgres.sql import Statements
from hephaestus_postgres.transaction import alone, run
from hephaestus_postgres.wire import Record, Wire


class _Claim(NamedTuple):
    run_id: str
    step: str
    attempt: int
    lease: str
    place: str
    results: str


class Claims:
    """Takes leases."""

    def __init__(self, engine: AsyncEngine, statements: Statements) -> None:
        self._engine = engine
        self._sql = statements
        self._wire = Wire(engine)
        self._claims = Batcher(self._take, self._take_alone, place=_run_id)

    async def close(self) -> None:
        """Let what is under way end, and give the connection back."""
        await self._claims.idle()
        await self._wire.close()

    async def take(self, lease: Lease, results: Collection[str]) -> Record | None:
        """Take a lease and return the row of its run; None if the step is not to be had.

        Raises:
            StorageUnavailable: Nobody knows whether it was taken.
        """
        claim = _Claim(
            run_id=lease.run_id,
            step=lease.step,
            attempt=lease.attempt,
            lease=rows.leases_text([lease]),
            place=rows.place(lease),
            results=",".join(results),
        )
        found = await self._claims.send(claim)
        return found[0] if found else None

    async def _take(self, claims: Sequence[_Claim]) -> Sequence[Sequence[Record] | None]:
        waits = len(claims) == 1
        found = await self._wire.fetch(*self._sql.claim(claims, alone=waits))
        taken = {row["run_id"]: [row] for row in found}
        # Without waiting, nobody knows whether another has only locked the row.
        return [taken.get(claim.run_id, [] if waits else None) for claim in claims]

    async def _take_alone(self, claim: _Claim) -> Sequence[Record]:
        async with alone(self._engine) as connection:
            return await run(connection, *self._sql.claim([claim], alone=True))


def _run_id(claim: _Claim) -> str:
    return claim.run_id
