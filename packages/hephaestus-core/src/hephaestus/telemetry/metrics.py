"""Ready-made metric definitions, as values that any reporter can read."""

from typing import Literal, TypeAlias, get_args

import msgspec

from hephaestus.errors import InvalidArgument
from hephaestus.telemetry.bus import (
    ENGINE_ADVANCE,
    STEP_ASYNC,
    STEP_EXCEPTION,
    STEP_RESUME,
    STEP_STOP,
    WORKFLOW_EXCEPTION,
    WORKFLOW_START,
    WORKFLOW_STOP,
    Measurements,
    Metadata,
)

Kind: TypeAlias = Literal["counter", "distribution", "last_value"]
Scope: TypeAlias = Literal["workflow", "step", "engine"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What to report of one telemetry event."""

    name: str
    kind: Kind
    scope: Scope
    event: str
    """The telemetry event that it is taken from."""

    measurement: str | None = None
    """The measurement that it reports; None for a counter, which counts events."""

    tags: tuple[str, ...]
    """The metadata fields that tell its series apart."""

    unit: Literal["", "ms"] = ""
    description: str

    def value(self, measurements: Measurements) -> float | None:
        """Return the number to report, in `unit`; None if this event has none."""
        if self.measurement is None:
            return 1
        number = measurements.get(self.measurement)
        return number * 1000 if self.unit == "ms" and number is not None else number

    def labels(self, metadata: Metadata) -> dict[str, str]:
        """Return the tags that the event has, with their values as text."""
        return {tag: str(metadata[tag]) for tag in self.tags if metadata.get(tag) is not None}


def in_scope(scope: Scope) -> tuple[Metric, ...]:
    """Return the metrics of one scope.

    Raises:
        InvalidArgument: There is no such scope.
    """
    if scope not in get_args(Scope):
        known = ", ".join(get_args(Scope))
        raise InvalidArgument(f"there is no scope {scope!r} of metrics (scopes: {known})")
    return tuple(metric for metric in METRICS if metric.scope == scope)


METRICS: tuple[Metric, ...] = (
    Metric(
        name="hephaestus.workflow.start.count",
        kind="counter",
        scope="workflow",
        event=WORKFLOW_START,
        tags=("workflow",),
        description="Runs started.",
    ),
    Metric(
        name="hephaestus.workflow.stop.count",
        kind="counter",
        scope="workflow",
        event=WORKFLOW_STOP,
        tags=("workflow",),
        description="Runs ended without failing.",
    ),
    Metric(
        name="hephaestus.workflow.exception.count",
        kind="counter",
        scope="workflow",
        event=WORKFLOW_EXCEPTION,
        tags=("workflow", "failed_step"),
        description="Runs failed.",
    ),
    Metric(
        name="hephaestus.workflow.stop.duration",
        kind="distribution",
        scope="workflow",
        event=WORKFLOW_STOP,
        measurement="duration",
        tags=("workflow",),
        unit="ms",
        description="From the start of a run to its end.",
    ),
    Metric(
        name="hephaestus.step.stop.duration",
        kind="distribution",
        scope="step",
        event=STEP_STOP,
        measurement="duration",
        tags=("workflow", "step"),
        unit="ms",
        description="The time that the body of a step took.",
    ),
    Metric(
        name="hephaestus.step.exception.count",
        kind="counter",
        scope="step",
        event=STEP_EXCEPTION,
        tags=("workflow", "step", "kind"),
        description="Failed attempts of steps.",
    ),
    Metric(
        name="hephaestus.step.async.count",
        kind="counter",
        scope="step",
        event=STEP_ASYNC,
        tags=("workflow", "step"),
        description="Steps suspended.",
    ),
    Metric(
        name="hephaestus.step.resume.wait_duration",
        kind="distribution",
        scope="step",
        event=STEP_RESUME,
        measurement="wait_duration",
        tags=("workflow", "step", "source"),
        unit="ms",
        description="The time that a step waited for its event or timer.",
    ),
    Metric(
        name="hephaestus.engine.advance.active_steps_count",
        kind="last_value",
        scope="engine",
        event=ENGINE_ADVANCE,
        measurement="active_steps_count",
        tags=("workflow",),
        description="Active steps of the run that was advanced last.",
    ),
)
"""The nine metrics."""
