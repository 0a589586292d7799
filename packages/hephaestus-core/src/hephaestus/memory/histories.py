"""The histories of runs, whether or not the runs are stored."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from hephaestus.codec import Codec
from hephaestus.errors import DamagedInstance
from hephaestus.instance import Entry

Cut: TypeAlias = tuple[Entry, bytes | None, bytes | None]
"""An entry without its data, and these as bytes: input, then output."""

_NONE: Mapping[str, bytes] = MappingProxyType({})


class Histories:
    """Entries by run, in the order of arrival, each id once; their data are kept as bytes."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._runs: dict[str, dict[str, Cut]] = {}

    def cut(self, entries: Iterable[Entry], results: Mapping[str, bytes] = _NONE) -> list[Cut]:
        """Return entries as they are kept; results are the outputs that are bytes already.

        Raises:
            NotSerializable: An entry holds data that cannot be stored.
        """
        cuts = []
        for entry in entries:
            known = results.get(entry.step or "") if entry.action == "completed" else None
            came = known or self._written(entry.output)
            bare = msgspec.structs.replace(entry, input=None, output=None)
            cuts.append((bare, self._written(entry.input), came))
        return cuts

    def add(self, cuts: Iterable[Cut]) -> None:
        """Append the entries that are new."""
        for cut in cuts:
            self._runs.setdefault(cut[0].run_id, {}).setdefault(cut[0].id, cut)

    def of(self, run_id: str) -> list[Entry]:
        """Return a run's history.

        Raises:
            DamagedInstance: An entry's bytes cannot be read.
        """
        try:
            return [self._whole(cut) for cut in self._runs.get(run_id, {}).values()]
        except (ValueError, RecursionError) as error:
            raise DamagedInstance(run_id, f"in its history: {error}") from error

    def drop(self, run_id: str) -> bool:
        """Forget a run's history, and answer whether there was one."""
        return self._runs.pop(run_id, None) is not None

    def _written(self, value: dict[str, Any] | None) -> bytes | None:
        return None if value is None else self._codec.dump(value)

    def _whole(self, cut: Cut) -> Entry:
        entry, given, came = cut
        return msgspec.structs.replace(
            entry,
            input=None if given is None else self._codec.load(given),
            output=None if came is None else self._codec.load(came),
        )
