"""OpenTelemetry spans of runs and of attempts of steps.

All spans of a run share one trace, whichever process they come from: the run id is the trace
id. They are children of one remote parent that is computed from the run id as well, and that
nobody records.
"""

import hashlib
import time
import uuid
from typing import Any, NamedTuple, TypeAlias

from opentelemetry import context, trace
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)

from hephaestus.fork import Lock
from hephaestus.telemetry import bus
from hephaestus.telemetry.bus import Measurements, Metadata

MAX_OPEN_SPANS = 10_000
"""How many attempts may be under way in a process before the oldest span is given up."""

_Key: TypeAlias = tuple[str, str, int]


class _Open(NamedTuple):
    span: Span
    outside: context.Context


class Spans:
    """Turns the telemetry events of runs and steps into spans.

    Args:
        tracer: What records them.
        sample_ratio: The share of runs whose spans are marked as sampled.
    """

    def __init__(self, tracer: Tracer, sample_ratio: float) -> None:
        self._tracer = tracer
        self._sampled_below = round(sample_ratio * 2**56)
        self._lock = Lock()
        self._open: dict[_Key, _Open] = {}

    def handle(self, name: str, measurements: Measurements, metadata: Metadata) -> None:
        """Begin or end the span that the telemetry event is about, if it is about one."""
        match name:
            case bus.WORKFLOW_START:
                self._run_starts(metadata)
            case bus.WORKFLOW_STOP | bus.WORKFLOW_EXCEPTION:
                failed = name == bus.WORKFLOW_EXCEPTION
                self._run_ends(measurements["duration"], metadata, failed=failed)
            case bus.STEP_START:
                self._step_starts(metadata)
            case bus.STEP_STOP | bus.STEP_ASYNC | bus.STEP_EXCEPTION:
                self._step_ends(metadata, failed=name == bus.STEP_EXCEPTION)

    def close(self) -> None:
        """End what is open."""
        with self._lock:
            left, self._open = list(self._open.values()), {}
        for opened in left:
            _give_up(opened)

    def _run_starts(self, metadata: Metadata) -> None:
        trace.get_current_span().add_link(self._parent(metadata), _attributes(metadata))

    def _run_ends(self, duration: float | None, metadata: Metadata, *, failed: bool) -> None:
        # Recorded as a whole at the end: runs outlive processes, and few end where they began.
        parent = self._parent(metadata)
        now = time.time_ns()
        span = self._tracer.start_span(
            f"workflow {metadata['workflow']}",
            context=_below(parent),
            attributes=_attributes(metadata),
            start_time=now - int((duration or 0) * 1e9),
        )
        if failed:
            _mark_failed(span, metadata)
        span.end(now)

    def _step_starts(self, metadata: Metadata) -> None:
        parent, outside = self._parent(metadata), context.get_current()
        caller = trace.get_current_span(outside).get_span_context()
        links = [Link(parent)]
        if caller.is_valid and caller.trace_id != parent.trace_id:
            links.append(Link(caller))
        span = self._tracer.start_span(
            f"step {metadata['step']}",
            context=_below(parent, outside),
            attributes=_attributes(metadata),
            links=links,
        )
        self._keep(_key(metadata), _Open(span, outside))
        context.attach(trace.set_span_in_context(span, outside))

    def _step_ends(self, metadata: Metadata, *, failed: bool) -> None:
        with self._lock:
            opened = self._open.pop(_key(metadata), None)
        if opened is None:
            return
        # The end may be told by another task than the start; then this one has nothing to undo.
        if trace.get_current_span() is opened.span:
            context.attach(opened.outside)
        opened.span.set_attributes(_attributes(metadata))
        if failed:
            _mark_failed(opened.span, metadata)
        opened.span.end()

    def _keep(self, key: _Key, opened: _Open) -> None:
        with self._lock:
            left = self._open.pop(key, None)
            if left is None and len(self._open) >= MAX_OPEN_SPANS:
                left = self._open.pop(next(iter(self._open)))
            self._open[key] = opened
        if left is not None:
            _give_up(left)

    def _parent(self, metadata: Metadata) -> SpanContext:
        run_id = metadata["run_id"]
        # The last 56 bits of a UUIDv7 are random; those above hold its time and version.
        return run_context(run_id, sampled=_trace_id(run_id) % 2**56 < self._sampled_below)


def run_context(run_id: str, *, sampled: bool = True) -> SpanContext:
    """Return the remote parent of all spans of a run, to link to its trace."""
    trace_id = _trace_id(run_id)
    return SpanContext(
        trace_id=trace_id,
        span_id=trace_id & (2**64 - 1) or 1,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT),
    )


def _key(metadata: Metadata) -> _Key:
    return metadata["run_id"], metadata["step"], metadata["attempt"]


def _trace_id(run_id: str) -> int:
    try:
        number = uuid.UUID(run_id).int
    except ValueError:
        number = 0
    # An imported run may have an id of another kind; and no trace has the id 0.
    return number or int.from_bytes(hashlib.blake2b(run_id.encode(), digest_size=16).digest())


def _below(parent: SpanContext, outside: context.Context | None = None) -> context.Context:
    return trace.set_span_in_context(NonRecordingSpan(parent), outside)


def _attributes(metadata: Metadata) -> dict[str, Any]:
    return {
        f"hephaestus.{field}": value
        for field, value in metadata.items()
        if field not in ("reason", "stacktrace") and _is_attribute(value)
    }


def _is_attribute(value: object) -> bool:
    match value:
        case str() | float():
            return True
        case int():
            # A larger one would cost the exporter its whole batch.
            return -(2**63) <= value < 2**63
        case tuple():
            return all(isinstance(member, str) for member in value)
        case _:
            return False


def _mark_failed(span: Span, metadata: Metadata) -> None:
    span.add_event(
        "exception",
        {
            "exception.type": metadata["kind"],
            "exception.message": metadata["reason"],
            "exception.stacktrace": metadata["stacktrace"] or "",
        },
    )
    span.set_status(Status(StatusCode.ERROR, metadata["reason"]))


def _give_up(opened: _Open) -> None:
    opened.span.set_attribute("hephaestus.left_open", True)
    opened.span.end()
