"""Waiting in this process for a run to change."""

import asyncio


class Watch:
    """Wakes those who wait for a run, when a commit of this process changes its status."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def notify(self, *ids: str) -> None:
        """Wake all who wait for a run, by any of its ids."""
        for one in ids:
            for event in self._waiting.get(one, ()):
                event.set()

    def watching(self, id: str) -> "Watching":
        """Return a context in which no change of a run with that id or run id goes unnoticed."""
        return Watching(self._waiting, id)


class Watching:
    """One who waits; changes between two waits are not lost."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], id: str) -> None:
        self._waiting = waiting
        self._id = id
        self._event = asyncio.Event()

    def __enter__(self) -> "Watching":
        self._waiting.setdefault(self._id, set()).add(self._event)
        return self

    def __exit__(self, *exception: object) -> None:
        others = self._waiting[self._id]
        others.discard(self._event)
        if not others:
            del self._waiting[self._id]

    async def changed(self, seconds: float) -> None:
        """Return when the run changes, or after that many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()
