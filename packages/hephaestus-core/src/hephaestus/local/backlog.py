"""Ready steps for which there was no room; a hint, since `due` knows them all."""

from collections.abc import Collection
from typing import NamedTuple

_MOST = 10_000


class Ready(NamedTuple):
    """A step that may be claimed."""

    run_id: str
    step: str
    attempt: int
    results: Collection[str]
    """Those that it sees."""


class Backlog:
    """Remembers ready steps, each once, in the order in which they came; the oldest go first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Ready] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ready: Ready) -> None:
        """Remember a ready step of a run, or its later attempt."""
        self._waiting[ready.run_id, ready.step] = ready
        if len(self._waiting) > _MOST:
            self.pop()

    def drop(self, run_id: str, step: str) -> None:
        """Forget a step that has begun."""
        self._waiting.pop((run_id, step), None)

    def pop(self) -> Ready:
        """Return the one that has waited longest."""
        return self._waiting.pop(next(iter(self._waiting)))
