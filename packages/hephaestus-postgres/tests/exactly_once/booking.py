"""A workflow whose first step inserts a row in the transaction of its outcome."""

import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus import Done, Hephaestus, LocalRunner, StepContext, Workflow, step
from hephaestus.clock import Clock
from hephaestus.testing.runner.ahead import LONG
from hephaestus_postgres import PostgresStorage


def reached(point: str) -> None:
    """End this process at once, where it is to die at this point."""
    if os.environ.get("DIES") == point:
        os._exit(9)


@step(transactional=True)
async def book(ctx: StepContext) -> dict[str, int]:
    reached("before the body")
    insert = text(f"INSERT INTO {ctx.initial['table']} VALUES (:key)")
    await ctx.session.execute(insert, {"key": ctx.idempotency_key})
    reached("inside the body")
    return {"attempt": ctx.attempt}


@step
async def confirm(ctx: StepContext) -> dict[str, int]:
    return {"booked": ctx[book]["attempt"]}


class Booking(Workflow, unique="booking", name="exactly_once.Booking"):
    start_step = book
    transitions = {book: {"done": confirm}, confirm: {"done": Done}}


def app_on(engine: AsyncEngine, schema: str, clock: Clock | None = None) -> Hephaestus:
    """Return an app whose steps can be taken over when a clock is that far ahead."""
    storage = PostgresStorage(engine, schema=schema)
    return Hephaestus(storage, LocalRunner(lease=LONG, poll=0.05), clock=clock)
