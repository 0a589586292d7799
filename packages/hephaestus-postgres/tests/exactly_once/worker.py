"""A process that starts a booking and dies where the environment says."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from exactly_once.booking import Booking, app_on, reached
from hephaestus_postgres import transaction
from hephaestus_postgres.transaction import StepTransaction


def dying(name: str, verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a verb before and after which the process may die."""

    async def called(*args: Any, **kwargs: Any) -> Any:
        reached(f"before {name}")
        returned = await verb(*args, **kwargs)
        reached(f"after {name}")
        return returned

    return called


async def main() -> None:
    """Run one booking."""
    environ = os.environ
    StepTransaction.flush = dying("the flush", StepTransaction.flush)  # type: ignore[method-assign]
    StepTransaction.load = dying("the load", StepTransaction.load)  # type: ignore[method-assign]
    commit = dying("COMMIT", AsyncConnection.commit)
    AsyncConnection.commit = commit  # type: ignore[method-assign]
    step_commit = StepTransaction.commit

    async def written(self: StepTransaction, change: Any) -> None:
        run = transaction.run

        async def run_and_die(*args: Any) -> Any:
            rows = await run(*args)
            reached("after the statement")
            return rows

        transaction.run = run_and_die
        try:
            await step_commit(self, change)
        finally:
            transaction.run = run

    StepTransaction.commit = written  # type: ignore[method-assign]
    engine = create_async_engine(environ["URL"])
    async with app_on(engine, environ["SCHEMA"], lease=0.5):
        booking = await Booking.start("1", {"table": environ["TABLE"]})
        await booking.wait(20)


if __name__ == "__main__":
    asyncio.run(main())
