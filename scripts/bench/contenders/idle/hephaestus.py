"""An idle app of this project."""

import asyncio
import sys

from bench import machine
from hephaestus import Done, Hephaestus, StepContext, Workflow, step
from hephaestus_postgres import PostgresStorage


@step
async def first(ctx: StepContext) -> dict[str, int]:
    """Do a little."""
    return {"number": ctx.initial["number"]}


class Line(Workflow, unique="number", name="bench.Line"):
    """One step."""

    start_step = first
    transitions = {first: {"done": Done}}


async def main(url: str) -> None:
    """Open, and tell."""
    storage = PostgresStorage(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    await storage.migrate()
    async with Hephaestus(storage):
        await asyncio.sleep(1)
        print(machine.megabytes())


asyncio.run(main(sys.argv[1]))
