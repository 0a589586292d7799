"""Flights that a test lets land, one after another."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from hephaestus_postgres.batcher import Batcher


class Flights:
    """Records what is sent, and lets it land when the test says so."""

    def __init__(self, **options: Any) -> None:
        self.sent: list[list[str]] = []
        self.alone: list[str] = []
        self.refused: set[str] = set()
        """Members with which the database refuses a whole flight."""

        self.answers: dict[str, Exception | None] = {}
        """What a flight has for some members instead of a result."""

        self.landing = asyncio.Event()
        self.landing.set()
        self.batcher: Batcher[str, str] = Batcher(self.fly, self.go_alone, **options)

    async def fly(self, members: Sequence[str]) -> Sequence[str | Exception | None]:
        """Send members together."""
        self.sent.append(list(members))
        await self.landing.wait()
        if self.refused & set(members):
            raise asyncpg.DataError("one of the values")
        return [self.answers.get(member, f"{member} arrived") for member in members]

    async def go_alone(self, member: str) -> str:
        """Send one by itself."""
        self.alone.append(member)
        if member in self.refused:
            raise ValueError(member)
        return f"{member} arrived alone"

    def hold(self) -> None:
        """Let what is sent from now on stay in the air."""
        self.landing = asyncio.Event()

    def board(self, *members: str) -> list["asyncio.Task[str]"]:
        """Let callers come, one after another."""
        return [asyncio.create_task(self.batcher.send(member)) for member in members]

    async def took_off(self, count: int) -> None:
        """Return when so many flights have been sent."""
        async with asyncio.timeout(10):
            while len(self.sent) < count:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0)
