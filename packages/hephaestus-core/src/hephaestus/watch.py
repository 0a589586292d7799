"""Waiting in this process for a run to change."""

import asyncio
from collections.abc import Callable

from hephaestus.instance import Instance


class Watch:
    """Wakes those who wait for a run, when this process changes its status or ends a wait of it.

    Args:
        first_look: Seconds after which one who waits looks by itself, at first, and then ever
            later. Where other processes execute runs, a quick one ends long before a second is
            over.
    """

    def __init__(self, first_look: float = 1.0) -> None:
        self.first_look = first_look
        self.carries: Callable[[str], bool] = _nothing
        """Tells of a run id whether that run is running, and by this process alone.

        Its next change is told here then; a takeover, or who interferes from outside, shows at
        the next look.
        """

        self._waiting: dict[str, set[Watching]] = {}

    def notify(self, instance: Instance) -> None:
        """Wake all who wait for a run, by either of its ids, with the run as it was committed."""
        for one in (instance.run_id, instance.id):
            for watching in self._waiting.get(one, ()):
                watching.notice(instance)

    def watching(self, id: str) -> "Watching":
        """Return a context in which no change of a run with that id or run id goes unnoticed."""
        return Watching(self._waiting, id)


class Watching:
    """One who waits; changes between two waits are not lost."""

    def __init__(self, waiting: "dict[str, set[Watching]]", id: str) -> None:
        self._waiting = waiting
        self._id = id
        self._news: Instance | None = None
        self._sleeping: asyncio.Future[None] | None = None

    def __enter__(self) -> "Watching":
        self._waiting.setdefault(self._id, set()).add(self)
        return self

    def __exit__(self, *exception: object) -> None:
        others = self._waiting[self._id]
        others.discard(self)
        if not others:
            del self._waiting[self._id]

    async def changed(self, seconds: float) -> Instance | None:
        """Return the run when it changes, without history; or None after that many seconds.

        It is as the last change left it, and is shared with others.
        """
        if self._news is None:
            loop = asyncio.get_running_loop()
            self._sleeping = loop.create_future()
            timer = loop.call_later(seconds, self._wake)
            try:
                await self._sleeping
            finally:
                timer.cancel()
                self._sleeping = None
        news, self._news = self._news, None
        return news

    def notice(self, instance: Instance) -> None:
        """Learn that the run has changed."""
        self._news = instance
        self._wake()

    def _wake(self) -> None:
        if self._sleeping is not None and not self._sleeping.done():
            self._sleeping.set_result(None)


def _nothing(run_id: str) -> bool:  # noqa: ARG001  # it carries none
    return False
