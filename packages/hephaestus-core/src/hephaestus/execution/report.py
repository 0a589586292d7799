"""What a commit tells the listeners of telemetry."""

from hephaestus.engine import Advanced
from hephaestus.instance import Instance
from hephaestus.telemetry import events
from hephaestus.workflow import Workflow


def report(
    before: Instance,
    advanced: Advanced,
    *,
    workflow: type[Workflow] | None,
    duration: float,
    runner: str,
) -> None:
    """Emit the telemetry events of one committed advance.

    Args:
        workflow: None where a process cancelled a run whose workflow it does not know.
    """
    instance = advanced.instance
    if before.status == "pending":
        start = "" if workflow is None else workflow.graph.start
        events.workflow_start(instance, initial_step=start, runner=runner)
    for wait in advanced.waits:
        events.step_resume(
            instance, step=wait.step, event=wait.event, source=wait.source, waited=wait.duration
        )
    for transition in advanced.transitions:
        events.workflow_transition(
            instance,
            source=transition.source,
            event=transition.event,
            targets=transition.targets,
        )
    if workflow is not None:
        _report_waits(instance, advanced, workflow)
    events.engine_advance(
        instance,
        duration=duration,
        before=before.status,
        steps_completed=len(advanced.transitions),
        iteration=instance.revision,
    )
    if instance.is_finished and not before.is_finished:
        _report_end(instance, runner)


def _report_waits(instance: Instance, advanced: Advanced, workflow: type[Workflow]) -> None:
    """Tell of the waits that the engine itself began; of others, whoever ran the body told."""
    for entry in advanced.entries:
        if entry.action != "suspended" or entry.step is None or entry.attempt is None:
            continue
        if workflow.graph.steps[entry.step].settled:
            events.step_async(
                instance, step=entry.step, attempt=entry.attempt, duration=entry.duration
            )


def _report_end(instance: Instance, runner: str) -> None:
    lived = None
    if instance.finished_at is not None:
        lived = (instance.finished_at - instance.created_at).total_seconds()
    if instance.status == "failed" and instance.error is not None:
        events.workflow_exception(
            instance,
            duration=lived,
            kind=instance.error.type,
            reason=instance.error.message,
            stacktrace=None,
            failed_step=instance.error.step,
            runner=runner,
        )
        return
    events.workflow_stop(
        instance,
        duration=lived,
        step_count=len(instance.completed_steps),
        advance_count=instance.revision,
        runner=runner,
    )
