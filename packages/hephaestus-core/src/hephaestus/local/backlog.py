"""Ready steps for which there was no room; a hint, since `due` knows them all."""

_MOST = 10_000


class Backlog:
    """Remembers ready steps, each once, in the order in which they came; the oldest go first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, run_id: str, step: str, attempt: int) -> None:
        """Remember a ready step of a run, or its later attempt."""
        self._waiting[run_id, step] = attempt
        if len(self._waiting) > _MOST:
            self.pop()

    def pop(self) -> tuple[str, str, int]:
        """Return run id, step and attempt of the one that has waited longest."""
        place = next(iter(self._waiting))
        return (*place, self._waiting.pop(place))
