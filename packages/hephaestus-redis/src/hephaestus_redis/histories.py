"""The entries of a history as they are stored."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.errors import DamagedInstance
from hephaestus.instance import Action, Entry, StepError

_NONE: Mapping[str, bytes] = MappingProxyType({})


class _Line(msgspec.Struct, array_like=True):
    """An entry without the ids that it is stored under; its data are left as they are."""

    timestamp: datetime
    action: Action
    step: str | None
    step_type: str | None
    event: str | None
    attempt: int | None
    duration: float | None
    input: msgspec.Raw
    output: msgspec.Raw
    error: StepError | None


_NULL = msgspec.Raw(b"null")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def lines(
    entries: Iterable[Entry], codec: Codec, results: Mapping[str, bytes] = _NONE
) -> list[str]:
    """Return the id of each entry, followed by its line.

    Args:
        results: By step, the outputs that are bytes already.

    Raises:
        NotSerializable: An entry holds data that cannot be stored.
    """
    flat: list[str] = []
    for entry in entries:
        known = results.get(entry.step or "") if entry.action == "completed" else None
        line = _Line(
            timestamp=entry.timestamp,
            action=entry.action,
            step=entry.step,
            step_type=entry.step_type,
            event=entry.event,
            attempt=entry.attempt,
            duration=entry.duration,
            input=_written(entry.input, codec),
            output=msgspec.Raw(known) if known else _written(entry.output, codec),
            error=entry.error,
        )
        flat += (entry.id, _encoder.encode(line).decode())
    return flat


def entries(run_id: str, stored: Mapping[bytes, bytes], codec: Codec) -> list[Entry]:
    """Return a history in the order of arrival.

    Raises:
        DamagedInstance: A line cannot be read.
    """
    try:
        numbered = []
        for id, raw in stored.items():
            number, _, line = raw.partition(b":")
            numbered.append((int(number), _entry(run_id, id.decode(), line, codec)))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, f"in its history: {error}") from error
    return [entry for _, entry in sorted(numbered, key=lambda pair: pair[0])]


def _entry(run_id: str, id: str, raw: bytes, codec: Codec) -> Entry:
    line = msgspec.structs.asdict(_decoder.decode(raw))
    line["input"] = _read(line["input"], codec)
    line["output"] = _read(line["output"], codec)
    return Entry(id=id, run_id=run_id, **line)


def _written(value: dict[str, Any] | None, codec: Codec) -> msgspec.Raw:
    return _NULL if value is None else msgspec.Raw(codec.dump(value))


def _read(raw: msgspec.Raw, codec: Codec) -> dict[str, Any] | None:
    return None if raw == _NULL else codec.load(bytes(raw))
