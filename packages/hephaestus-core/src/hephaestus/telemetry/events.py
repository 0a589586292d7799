"""The telemetry events: one function each, which builds its numbers and fields and emits it.

Times are seconds. A duration that is unknown or negative (a clock was set back) is None. Every
event of a run names it by `instance_id`, `run_id`, `workflow` and `workflow_version`, over the
event's own fields, over the `telemetry_metadata` given at its start. What users store never
shows: of the initial data only the keys.
"""

import os
import time
from collections.abc import Collection
from typing import Any, Literal

from hephaestus.instance import Instance
from hephaestus.telemetry.bus import (
    ENGINE_ADVANCE,
    RUNNER_INIT,
    STEP_ASYNC,
    STEP_EXCEPTION,
    STEP_RESUME,
    STEP_START,
    STEP_STOP,
    WORKFLOW_EXCEPTION,
    WORKFLOW_START,
    WORKFLOW_STOP,
    WORKFLOW_TRANSITION,
    emit,
    listening,
)


def workflow_start(instance: Instance, *, initial_step: str, runner: str) -> None:
    """Tell that a run begins; after a crash it may be told again."""
    if not listening(WORKFLOW_START):
        return
    emit(
        WORKFLOW_START,
        {"system_time": time.time()},
        _about(
            instance,
            initial_step=initial_step,
            runner=runner,
            initial_keys=tuple(instance.context.initial),
        ),
    )


def workflow_stop(
    instance: Instance,
    *,
    duration: float | None,
    step_count: int,
    advance_count: int,
    runner: str,
) -> None:
    """Tell that a run ended without failing."""
    if not listening(WORKFLOW_STOP):
        return
    emit(
        WORKFLOW_STOP,
        {
            "duration": _elapsed(duration),
            "step_count": step_count,
            "advance_count": advance_count,
        },
        _about(
            instance,
            status=instance.status,
            completed_steps=tuple(sorted(instance.completed_steps)),
            runner=runner,
        ),
    )


def workflow_exception(
    instance: Instance,
    *,
    duration: float | None,
    kind: str,
    reason: str,
    stacktrace: str | None,
    failed_step: str | None,
    runner: str,
) -> None:
    """Tell that a run failed."""
    if not listening(WORKFLOW_EXCEPTION):
        return
    emit(
        WORKFLOW_EXCEPTION,
        {"duration": _elapsed(duration)},
        _about(
            instance,
            kind=kind,
            reason=reason,
            stacktrace=stacktrace,
            status="failed",
            failed_step=failed_step,
            runner=runner,
        ),
    )


def workflow_transition(
    instance: Instance, *, source: str, event: str, targets: Collection[str]
) -> None:
    """Tell which steps became active because a step finished with an event."""
    if not listening(WORKFLOW_TRANSITION):
        return
    emit(
        WORKFLOW_TRANSITION,
        {"targets_count": len(targets)},
        _about(
            instance,
            source=source,
            event=event,
            targets=tuple(targets),
            fan_out=len(targets) > 1,
        ),
    )


def step_start(
    instance: Instance, *, step: str, attempt: int, concurrent: bool, active: int
) -> None:
    """Tell that the body of a step begins; call it in the task that runs the body."""
    if not listening(STEP_START):
        return
    emit(
        STEP_START,
        {"system_time": time.time()},
        _about(
            instance,
            step=step,
            attempt=attempt,
            concurrent=concurrent,
            active_steps_count=active,
        ),
    )


def step_stop(
    instance: Instance,
    *,
    step: str,
    attempt: int,
    duration: float | None,
    event: str,
    has_data: bool,
    has_metadata: bool,
) -> None:
    """Tell that a step finished with an event."""
    if not listening(STEP_STOP):
        return
    emit(
        STEP_STOP,
        {"duration": _elapsed(duration)},
        _about(
            instance,
            step=step,
            attempt=attempt,
            event=event,
            has_data=has_data,
            has_metadata=has_metadata,
        ),
    )


def step_exception(
    instance: Instance,
    *,
    step: str,
    attempt: int,
    duration: float | None,
    kind: str,
    reason: str,
    stacktrace: str | None,
) -> None:
    """Tell that an attempt of a step failed; there is no stack trace if nothing was raised."""
    if not listening(STEP_EXCEPTION):
        return
    emit(
        STEP_EXCEPTION,
        {"duration": _elapsed(duration)},
        _about(
            instance, step=step, attempt=attempt, kind=kind, reason=reason, stacktrace=stacktrace
        ),
    )


def step_async(
    instance: Instance,
    *,
    step: str,
    attempt: int,
    duration: float | None,
    status: Literal["waiting", "halted"] = "waiting",
) -> None:
    """Tell that a step suspended itself, or halted, and waits for an event from outside."""
    if not listening(STEP_ASYNC):
        return
    emit(
        STEP_ASYNC,
        {"duration": _elapsed(duration)},
        _about(instance, step=step, attempt=attempt, status=status),
    )


def step_resume(
    instance: Instance,
    *,
    step: str,
    event: str,
    source: Literal["external", "timeout"],
    waited: float | None,
) -> None:
    """Tell that an event from outside, or a timer, continued a waiting step."""
    if not listening(STEP_RESUME):
        return
    emit(
        STEP_RESUME,
        {"system_time": time.time(), "wait_duration": _elapsed(waited)},
        _about(instance, step=step, event=event, source=source),
    )


def engine_advance(
    instance: Instance,
    *,
    duration: float | None,
    before: str,
    steps_completed: int,
    iteration: int,
) -> None:
    """Tell that the engine advanced a run from the status `before` to the instance's."""
    if not listening(ENGINE_ADVANCE):
        return
    emit(
        ENGINE_ADVANCE,
        {
            "duration": _elapsed(duration),
            "active_steps_count": len(instance.active_steps),
            "completed_in_advance": steps_completed,
        },
        _about(instance, status_before=before, status_after=instance.status, iteration=iteration),
    )


def runner_init(*, app: str, runner: str, storage: str) -> None:
    """Tell that a runner is ready for work; once for each opening of an app."""
    if not listening(RUNNER_INIT):
        return
    emit(
        RUNNER_INIT,
        {"system_time": time.time()},
        {"app": app, "runner": runner, "storage": storage, "process": os.getpid()},
    )


def _about(instance: Instance, **fields: Any) -> dict[str, Any]:
    return {
        **instance.telemetry_metadata,
        **fields,
        "instance_id": instance.id,
        "run_id": instance.run_id,
        "workflow": instance.workflow,
        "workflow_version": instance.workflow_version,
    }


def _elapsed(seconds: float | None) -> float | None:
    return float(seconds) if seconds is not None and seconds >= 0 else None
