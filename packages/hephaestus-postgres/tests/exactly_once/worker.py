"""A process that starts a booking and dies where the environment says."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from exactly_once.booking import Booking, app_on, reached
from hephaestus_postgres import transaction
from hephaestus_postgres.transaction import StepTransaction


def let_die(owner: Any, verb: str, name: str) -> None:
    """Let the process die before or after a verb, where that is its point."""
    original = getattr(owner, verb)

    async def called(*args: Any, **kwargs: Any) -> Any:
        reached(f"before {name}")
        returned = await original(*args, **kwargs)
        reached(f"after {name}")
        return returned

    setattr(owner, verb, called)


def let_die_within(commit: Callable[..., Awaitable[None]]) -> None:
    """Let the process die after the statement of a step's commit, before its COMMIT."""

    async def written(self: StepTransaction, change: Any) -> None:
        let_die(transaction, "run", "the statement")
        await commit(self, change)

    setattr(StepTransaction, "commit", written)  # noqa: B010  # a method is not assigned to


async def main() -> None:
    """Run one booking."""
    environ = os.environ
    let_die(StepTransaction, "flush", "the flush")
    let_die(StepTransaction, "load", "the load")
    let_die(AsyncConnection, "commit", "COMMIT")
    let_die_within(StepTransaction.commit)
    engine = create_async_engine(environ["URL"])
    async with app_on(engine, environ["SCHEMA"]):
        booking = await Booking.start("1", {"table": environ["TABLE"]})
        await booking.wait(20)


if __name__ == "__main__":
    asyncio.run(main())
