"""Binding an event from outside to the one step that it is meant for."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hephaestus.errors import (
    AmbiguousEvent,
    InstanceFinished,
    InvalidArgument,
    UnknownEvent,
)
from hephaestus.instance import DONE, ActiveStep, Instance
from hephaestus.message import CancelRequested, EventPosted, Message
from hephaestus.nearest import did_you_mean, nearest
from hephaestus.steps import WaitForEvent
from hephaestus.workflow import Workflow


def bind(
    instance: Instance, workflow: type[Workflow], event: str | None, step: str | None
) -> EventPosted:
    """Return the event bound to a step, without a payload yet.

    It goes to `step` if given; else to the one waiting step that takes it; else to the one
    step of the whole graph that could.

    Raises:
        InstanceFinished: The run is completed or cancelled.
        UnknownEvent: No step takes the event.
        AmbiguousEvent: Several steps could.
        InvalidArgument: There is no such step, or no event was given and no halted step has
            a default answer.
    """
    if instance.status in ("completed", "cancelled"):
        raise InstanceFinished(instance.id, instance.run_id, instance.status)
    if step is not None and step not in workflow.graph.steps:
        hint = did_you_mean(step, workflow.graph.steps)
        raise InvalidArgument(f"workflow {workflow.name!r} has no step {step!r}{hint}")
    if event is None:
        return _default_answer(instance, step)
    # A step that asked for an answer under its own key does not declare that event.
    could = (*workflow.graph.takers(event), *_under_way(instance)) if step is None else (step,)
    takers = [k for k in dict.fromkeys(could) if _takes(instance, workflow, k, event)]
    if not takers:
        known = _events_of(workflow, step)
        raise UnknownEvent(instance.id, event, known, nearest(event, known))
    standing = {k for k, record in _under_way(instance).items() if record.state != "ready"}
    waiting = [k for k in takers if k in standing]
    choice = waiting or takers
    if len(choice) > 1:
        raise AmbiguousEvent(instance.id, event, sorted(choice))
    return EventPosted(step=choice[0], event=event)


def goes_on(instance: Instance, inbox: Sequence[Message], now: datetime) -> bool:
    """Tell whether the inbox holds what moves a run that stands still."""
    for message in inbox:
        match message.body:
            case CancelRequested():
                return True
            case EventPosted(step=key):
                step = instance.active.get(key)
                come = message.not_before is None or message.not_before <= now
                if come and step is not None and step.state != "ready":
                    return True
    return False


def _default_answer(instance: Instance, step: str | None) -> EventPosted:
    halted = {
        k: record.halt.resume_to
        for k, record in _under_way(instance).items()
        if record.halt is not None and record.halt.resume_to is not None and step in (None, k)
    }
    if not halted:
        raise InvalidArgument(
            f"{instance.id!r} has no halted step with a default answer; name the event"
        )
    if len(halted) > 1:
        raise AmbiguousEvent(instance.id, None, sorted(halted))
    ((key, resume_to),) = halted.items()
    return EventPosted(step=key, event=resume_to)


def _takes(instance: Instance, workflow: type[Workflow], key: str, event: str) -> bool:
    if workflow.graph.steps[key].takes(event) is not None:
        return True
    record = _under_way(instance).get(key)
    return record is not None and record.halt is not None and record.halt.resume_to == event


def _under_way(instance: Instance) -> Mapping[str, ActiveStep]:
    """Return the steps that stand, or in a failed run will stand again after its retry."""
    return instance.stopped if instance.status == "failed" else instance.active


def _events_of(workflow: type[Workflow], step: str | None) -> list[str]:
    steps = workflow.graph.steps
    chosen = [steps[step]] if step is not None else list(steps.values())
    declared = {event for one in chosen for event in one.events if one.key != DONE}
    # `received` is what a WaitForEvent ends with; callers know it by its name.
    named = {one.name for one in chosen if isinstance(one, WaitForEvent)}
    return sorted(declared | named)
