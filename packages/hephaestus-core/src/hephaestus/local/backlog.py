"""Ready steps for which there was no room; a hint, since `due` knows them all."""

from collections import deque

from hephaestus.instance import Instance

_MOST = 10_000


class Backlog:
    """Remembers ready steps in the order in which they came; the oldest are dropped first."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Instance, str]] = deque(maxlen=_MOST)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, instance: Instance, step: str) -> None:
        """Remember a ready step of a run."""
        self._waiting.append((instance, step))

    def pop(self) -> tuple[Instance, str]:
        """Return the step that has waited longest."""
        return self._waiting.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
