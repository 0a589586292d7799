"""Telemetry events as structured lines of the standard library's `logging`."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from hephaestus.telemetry import bus
from hephaestus.telemetry.bus import Measurements, Metadata

ID = "hephaestus.telemetry.log"

_LEVELS: Mapping[str, int] = {
    bus.WORKFLOW_EXCEPTION: logging.ERROR,
    bus.WORKFLOW_TRANSITION: logging.DEBUG,
    bus.STEP_EXCEPTION: logging.ERROR,
    bus.STEP_ASYNC: logging.WARNING,
    bus.ENGINE_ADVANCE: logging.DEBUG,
}

_RUN = ("instance_id", "run_id", "workflow")
# Named for each event, because the caller's own metadata may use the same words.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    bus.WORKFLOW_START: _RUN,
    bus.WORKFLOW_STOP: _RUN,
    bus.WORKFLOW_EXCEPTION: _RUN,
    bus.WORKFLOW_TRANSITION: (*_RUN, "event"),
    bus.STEP_START: (*_RUN, "step"),
    bus.STEP_STOP: (*_RUN, "step", "event"),
    bus.STEP_EXCEPTION: (*_RUN, "step"),
    bus.STEP_ASYNC: (*_RUN, "step"),
    bus.STEP_RESUME: (*_RUN, "step", "event"),
    bus.ENGINE_ADVANCE: _RUN,
    bus.RUNNER_INIT: (),
}

_Facts: TypeAlias = Mapping[str, Any]
"""The measurements and the metadata of a telemetry event, as one."""

_logger = logging.getLogger("hephaestus")


def attach(
    *,
    id: str = ID,
    level: int = logging.INFO,
    levels: Mapping[str, int] | None = None,
    events: Iterable[str] = bus.EVENTS,
) -> None:
    """Log telemetry events on the logger `hephaestus`.

    Lines begin with the instance's id in brackets and show times in milliseconds; the records
    carry `telemetry_event`, `instance_id`, `run_id`, `workflow`, `step`, `event` and
    `duration_ms`, as far as the telemetry event has them.

    Args:
        id: What `detach` is to be told.
        level: The level of ordinary events. The two exceptions are errors, `step.async` is a
            warning, `workflow.transition` and `engine.advance` are for debugging.
        levels: Levels by name of the telemetry event, over all of these.
        events: The telemetry events to log.

    Raises:
        InvalidArgument: An event has no such name, or the id is taken.
    """
    own = {name: (levels or {})[name] for name in bus.checked(levels or {})}
    chosen = {**dict.fromkeys(bus.EVENTS, level), **_LEVELS, **own}

    def handler(name: str, measurements: Measurements, metadata: Metadata) -> None:
        if _logger.isEnabledFor(chosen[name]):
            line = _line(name, measurements, metadata)
            _logger.log(chosen[name], "%s", line, extra=_fields(name, measurements, metadata))

    bus.attach(id, events, handler)


def detach(*, id: str = ID) -> None:
    """Log no more telemetry events.

    Raises:
        InvalidArgument: Nothing is attached under the id.
    """
    bus.detach(id)


def _line(name: str, measurements: Measurements, metadata: Metadata) -> str:
    text = _LINES[name]({**metadata, **measurements})
    return f"[{metadata['instance_id']}] {text}" if "instance_id" in metadata else text


def _fields(name: str, measurements: Measurements, metadata: Metadata) -> dict[str, object]:
    fields = {field: metadata[field] for field in _FIELDS[name]}
    seconds = measurements.get("duration", measurements.get("wait_duration"))
    if seconds is not None:
        fields["duration_ms"] = round(seconds * 1000, 3)
    return {"telemetry_event": name, **fields}


def _ms(word: str, seconds: float | None) -> str:
    return "" if seconds is None else f" {word} {seconds * 1000:.1f} ms"


def _workflow_start(facts: _Facts) -> str:
    return (
        f"workflow {facts['workflow']} v{facts['workflow_version']} started "
        f"at {facts['initial_step']}"
    )


def _workflow_stop(facts: _Facts) -> str:
    return (
        f"workflow {facts['workflow']} {facts['status']}"
        f"{_ms('in', facts['duration'])} "
        f"({facts['step_count']} steps, {facts['advance_count']} advances)"
    )


def _workflow_exception(facts: _Facts) -> str:
    where = f" at {facts['failed_step']}" if facts["failed_step"] else ""
    return (
        f"workflow {facts['workflow']} failed{where}{_ms('after', facts['duration'])}: "
        f"{facts['kind']}: {facts['reason']}"
    )


def _workflow_transition(facts: _Facts) -> str:
    targets = ", ".join(facts["targets"]) or "nothing"
    return f"{facts['source']} --{facts['event']}--> {targets}"


def _step_start(facts: _Facts) -> str:
    return f"step {facts['step']} started (attempt {facts['attempt']})"


def _step_stop(facts: _Facts) -> str:
    took = _ms("in", facts["duration"])
    return f"step {facts['step']} finished with {facts['event']}{took}"


def _step_exception(facts: _Facts) -> str:
    trace = f"\n{facts['stacktrace'].rstrip()}" if facts["stacktrace"] else ""
    return (
        f"step {facts['step']} failed (attempt {facts['attempt']})"
        f"{_ms('after', facts['duration'])}: {facts['kind']}: {facts['reason']}{trace}"
    )


def _step_async(facts: _Facts) -> str:
    return f"step {facts['step']} is {facts['status']}{_ms('after', facts['duration'])}"


def _step_resume(facts: _Facts) -> str:
    waited = _ms("after", facts["wait_duration"])
    return f"step {facts['step']} resumed by {facts['event']} ({facts['source']}){waited}"


def _engine_advance(facts: _Facts) -> str:
    return (
        f"advance {facts['iteration']}: {facts['status_before']} → "
        f"{facts['status_after']}{_ms('in', facts['duration'])} "
        f"({facts['completed_in_advance']} completed, "
        f"{facts['active_steps_count']} active)"
    )


def _runner_init(facts: _Facts) -> str:
    return f"app {facts['app']} runs on {facts['runner']} with {facts['storage']}"


_LINES: Mapping[str, Callable[[_Facts], str]] = {
    bus.WORKFLOW_START: _workflow_start,
    bus.WORKFLOW_STOP: _workflow_stop,
    bus.WORKFLOW_EXCEPTION: _workflow_exception,
    bus.WORKFLOW_TRANSITION: _workflow_transition,
    bus.STEP_START: _step_start,
    bus.STEP_STOP: _step_stop,
    bus.STEP_EXCEPTION: _step_exception,
    bus.STEP_ASYNC: _step_async,
    bus.STEP_RESUME: _step_resume,
    bus.ENGINE_ADVANCE: _engine_advance,
    bus.RUNNER_INIT: _runner_init,
}
