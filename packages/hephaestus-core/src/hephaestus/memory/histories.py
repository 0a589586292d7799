"""The histories of runs, whether or not the runs are stored."""

from collections.abc import Iterable
from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.instance import Entry


class Histories:
    """Entries by run, in the order of arrival, each id once; their data are kept as bytes."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._runs: dict[str, dict[str, tuple[Entry, bytes | None, bytes | None]]] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Append the entries that are new."""
        for entry in entries:
            run = self._runs.setdefault(entry.run_id, {})
            if entry.id not in run:
                run[entry.id] = self._cut(entry)

    def of(self, run_id: str) -> list[Entry]:
        """Return a run's history."""
        return [
            msgspec.structs.replace(entry, input=self._read(given), output=self._read(came))
            for entry, given, came in self._runs.get(run_id, {}).values()
        ]

    def drop(self, run_id: str) -> bool:
        """Forget a run's history, and answer whether there was one."""
        return self._runs.pop(run_id, None) is not None

    def _cut(self, entry: Entry) -> tuple[Entry, bytes | None, bytes | None]:
        if entry.input is None and entry.output is None:
            return entry, None, None
        bare = msgspec.structs.replace(entry, input=None, output=None)
        return bare, self._written(entry.input), self._written(entry.output)

    def _written(self, value: dict[str, Any] | None) -> bytes | None:
        return None if value is None else self._codec.dump(value)

    def _read(self, raw: bytes | None) -> dict[str, Any] | None:
        return None if raw is None else self._codec.load(raw)
