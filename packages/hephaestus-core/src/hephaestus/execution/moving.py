"""Where a run stands, as it was read, and where what has happened moves it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from hephaestus import engine, registry
from hephaestus.engine import Advanced
from hephaestus.errors import InvalidArgument, UnknownWorkflow
from hephaestus.instance import Instance
from hephaestus.message import Message, StepEnded
from hephaestus.storage import Snapshot
from hephaestus.workflow import Workflow

_SLOWEST = timedelta(seconds=10)
"""How long a write may be under way after the time that it records."""


def is_whole(instance: Instance) -> bool:
    """Tell whether the results of all its steps were read."""
    results = instance.context.steps
    for key, step in instance.finished.items():
        if key not in results and step.event is not None:
            return False
    return True


def is_at(instance: Instance, key: str, attempt: int) -> bool:
    """Tell whether a run waits for the outcome of that attempt of a step."""
    step = instance.active.get(key)
    return step is not None and step.state == "ready" and step.attempt == attempt


def moved(
    snapshot: Snapshot, asked: datetime, *happened: StepEnded, due: datetime | None = None
) -> tuple[type[Workflow] | None, Advanced]:
    """Return the run advanced, and its workflow; a cancel needs none.

    Args:
        asked: When the snapshot was asked for. It may lack what has happened since then, such as
            the renewal of a lease.
        due: When the storage said that there is something to do. Where there is nothing, and
            nobody has moved it since, its time to wake was wrong: that of a run which was put,
            or whose message was withdrawn.
    """
    now = max(asked, snapshot.instance.updated_at or asked)
    try:
        workflow = workflow_of(snapshot.instance, snapshot.inbox, *happened)
    except (UnknownWorkflow, InvalidArgument):
        if engine.is_cancelled(snapshot.instance, snapshot.inbox):
            return None, engine.cancel(snapshot.instance, now, inbox=snapshot.inbox)
        raise
    ended = snapshot.ended(now)
    advanced = engine.advance(
        snapshot.instance,
        workflow,
        now,
        inbox=snapshot.inbox,
        happened=happened,
        ended_leases=ended,
        live_leases=snapshot.live(now),
    )
    if due is not None and not (advanced.changed or advanced.ready or ended):
        was_wrong = _stood(snapshot.instance, due)
        advanced = msgspec.structs.replace(advanced, changed=was_wrong)
    return workflow, advanced


def _stood(instance: Instance, since: datetime) -> bool:
    """Tell whether nobody has moved an unfinished run since a time, slow writes included."""
    written = instance.updated_at or instance.created_at
    return not instance.is_finished and since - written >= _SLOWEST


def workflow_of(
    instance: Instance, inbox: Sequence[Message] = (), *happened: StepEnded
) -> type[Workflow]:
    """Return the workflow of a run, which must have the steps at which it stands.

    Args:
        inbox: The run's messages; a step that was refused has its outcome there.
        happened: Outcomes that never were in the inbox.

    Raises:
        UnknownWorkflow: It is not defined in this process.
        InvalidArgument: It was changed, and has those steps no more.
    """
    workflow: type[Workflow] = registry.find(instance.workflow, instance.workflow_version)
    steps = workflow.graph.steps.keys()
    if instance.active.keys() <= steps and instance.stopped.keys() <= steps:
        return workflow
    outcomes = [m.body for m in inbox if isinstance(m.body, StepEnded)]
    refused = {ended.step for ended in (*outcomes, *happened)}
    gone = sorted({*instance.active, *instance.stopped} - steps - refused)
    if gone:
        raise InvalidArgument(
            f"run {instance.run_id} stands at {', '.join(gone)}, which workflow "
            f"{workflow.name!r} version {workflow.version} does not have any more; "
            "give a changed definition a new version="
        )
    return workflow
