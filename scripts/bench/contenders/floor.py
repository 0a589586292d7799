"""No engine at all: what the interpreter and asyncio take for the same work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.contract import Contender, Run
from bench.jobs.line import LINE, STEPS


@asynccontextmanager
async def _line() -> AsyncIterator[Run]:
    async def add_one(number: int) -> int:
        return number + 1

    async def run(number: int) -> int:
        for _ in range(STEPS):
            number = await asyncio.create_task(add_one(number))
        return number

    yield run


CONTENDERS = (
    Contender(
        name="floor", job=LINE, title="the floor: three bare tasks", distributions=(), open=_line
    ),
)
