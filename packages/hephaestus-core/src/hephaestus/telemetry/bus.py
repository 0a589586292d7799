"""The bus of telemetry events: their names, who listens, and how they are handed out."""

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from hephaestus.errors import InvalidArgument
from hephaestus.fork import Lock
from hephaestus.nearest import did_you_mean

WORKFLOW_START = "hephaestus.workflow.start"
WORKFLOW_STOP = "hephaestus.workflow.stop"
WORKFLOW_EXCEPTION = "hephaestus.workflow.exception"
WORKFLOW_TRANSITION = "hephaestus.workflow.transition"
STEP_START = "hephaestus.step.start"
STEP_STOP = "hephaestus.step.stop"
STEP_EXCEPTION = "hephaestus.step.exception"
STEP_ASYNC = "hephaestus.step.async"
STEP_RESUME = "hephaestus.step.resume"
ENGINE_ADVANCE = "hephaestus.engine.advance"
RUNNER_INIT = "hephaestus.runner.init"

EVENTS: tuple[str, ...] = (
    WORKFLOW_START,
    WORKFLOW_STOP,
    WORKFLOW_EXCEPTION,
    WORKFLOW_TRANSITION,
    STEP_START,
    STEP_STOP,
    STEP_EXCEPTION,
    STEP_ASYNC,
    STEP_RESUME,
    ENGINE_ADVANCE,
    RUNNER_INIT,
)
"""The names of all telemetry events; only ever added to."""

Measurements: TypeAlias = Mapping[str, float | None]
"""Numbers; times are seconds, None where unknown."""

Metadata: TypeAlias = Mapping[str, Any]
"""What the numbers are about; a caller's own telemetry metadata may hold any JSON value."""

Handler: TypeAlias = Callable[[str, Measurements, Metadata], object]
"""Called with name, measurements and metadata, in the thread and task of the emitter."""

_logger = logging.getLogger("hephaestus.telemetry")


class _Attachment(NamedTuple):
    id: str
    events: tuple[str, ...]
    handler: Handler


_lock = Lock()
_attached: dict[str, _Attachment] = {}
# Tuples are replaced, never changed, and a name without listeners is absent: so emitting needs
# no lock and `listening` is a single lookup.
_listeners: dict[str, tuple[_Attachment, ...]] = {}


def attach(id: str, events: Iterable[str], handler: Handler) -> None:
    """Call the handler on each of the telemetry events.

    A handler is quick and plain: it runs where the event happens, and the step waits for it.
    One that raises is detached and logged.

    Raises:
        InvalidArgument: An event has no such name, the id is taken, or the handler is no
            plain function.
    """
    if not _is_plain_function(handler):
        raise InvalidArgument(f"a telemetry handler is a plain function, not {handler!r}")
    attachment = _Attachment(id, checked(events), handler)
    with _lock:
        if id in _attached:
            raise InvalidArgument(
                f"a telemetry handler is already attached as {id!r}; detach it or choose another id"
            )
        _attached[id] = attachment
        for name in attachment.events:
            _listeners[name] = (*_listeners.get(name, ()), attachment)


def detach(id: str) -> None:
    """Stop calling the handler attached under the id.

    Raises:
        InvalidArgument: Nothing is attached under the id.
    """
    with _lock:
        attachment = _attached.get(id)
        if attachment is None:
            raise InvalidArgument(f"no telemetry handler is attached as {id!r}")
        _remove(attachment)


def listening(name: str) -> bool:
    """Tell whether any handler is attached to the telemetry event."""
    return name in _listeners


def anyone() -> bool:
    """Tell whether any handler is attached to anything."""
    return bool(_listeners)


def emit(name: str, measurements: Measurements, metadata: Metadata) -> None:
    """Hand a telemetry event to its handlers, in the order they were attached."""
    for attachment in _listeners.get(name, ()):
        try:
            # Copies, so that no handler can spoil what the next one gets.
            attachment.handler(name, dict(measurements), dict(metadata))
        except Exception:
            _logger.exception(
                "telemetry handler %r raised on %s and is detached", attachment.id, name
            )
            _drop(attachment)


def checked(events: Iterable[str]) -> tuple[str, ...]:
    """Return the names without repetitions.

    Raises:
        InvalidArgument: A name is not among `EVENTS`.
    """
    if isinstance(events, str):
        raise InvalidArgument(f"telemetry events come as a list: [{events!r}]")
    names = tuple(dict.fromkeys(events))
    for name in names:
        if name not in EVENTS:
            hint = did_you_mean(str(name), EVENTS) or f" (events: {', '.join(EVENTS)})"
            raise InvalidArgument(f"there is no telemetry event {name!r}{hint}")
    return names


def _is_plain_function(handler: object) -> bool:
    return callable(handler) and not inspect.iscoroutinefunction(handler)


def _drop(attachment: _Attachment) -> None:
    with _lock:
        # Another thread may have dropped it by now, and its id may serve a new handler.
        if _attached.get(attachment.id) is attachment:
            _remove(attachment)


def _remove(attachment: _Attachment) -> None:
    del _attached[attachment.id]
    for name in attachment.events:
        rest = tuple(a for a in _listeners[name] if a is not attachment)
        if rest:
            _listeners[name] = rest
        else:
            del _listeners[name]
