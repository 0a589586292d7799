"""What is under way in one process: the advances of runs, and the writes."""

import asyncio


class Turn:
    """One advance of a run under way in this process: a `with` block; at most one per run."""

    def __init__(self, turns: "dict[str, Turn]", run_id: str) -> None:
        self.again = False
        self._turns = turns
        self._run_id = run_id
        self._waiting: list[asyncio.Future[None]] = []

    def __enter__(self) -> "Turn":
        self._turns[self._run_id] = self
        return self

    def __exit__(self, *exception: object) -> None:
        del self._turns[self._run_id]
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def over(self) -> None:
        """Return when the turn is over."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class Writes:
    """Counts the writes under way; a `with` block is one."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[asyncio.Future[None]] = []

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *exception: object) -> None:
        self._count -= 1
        if self._waiting and not self._count:
            for future in self._waiting:
                if not future.done():
                    future.set_result(None)
            self._waiting.clear()

    async def over(self) -> None:
        """Return when none is under way."""
        if self._count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
