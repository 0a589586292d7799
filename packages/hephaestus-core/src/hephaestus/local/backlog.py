"""Ready steps for which there was no room; a hint, since `due` knows them all."""

from hephaestus.instance import Instance

_MOST = 10_000


class Backlog:
    """Remembers ready steps, each once, in the order in which they came; the oldest go first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Instance] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, instance: Instance, step: str) -> None:
        """Remember a ready step of a run, or what the run is like by now."""
        self._waiting[instance.run_id, step] = instance
        if len(self._waiting) > _MOST:
            self.pop()

    def pop(self) -> tuple[Instance, str]:
        """Return the step that has waited longest."""
        place = next(iter(self._waiting))
        return self._waiting.pop(place), place[1]
