"""Why a run is not moving, in words."""

from collections.abc import Iterator
from datetime import datetime

from hephaestus import registry
from hephaestus.errors import UnknownWorkflow
from hephaestus.instance import ActiveStep, Instance
from hephaestus.storage import Snapshot
from hephaestus.workflow import Workflow


def reasons(instance: Instance, snapshot: Snapshot, now: datetime) -> list[str]:
    """Return what keeps a run where it is, step by step; nothing for one that has ended well.

    Args:
        instance: The run with its history.
        snapshot: The run with its inbox and leases.
    """
    if instance.is_finished:
        return [] if instance.error is None else [f"it failed: {instance.error}"]
    found: list[str] = []
    workflow = _workflow(instance)
    if workflow is None:
        found.append(
            f"workflow {instance.workflow!r} version {instance.workflow_version} is not defined "
            "here; if no worker defines it either, nobody can go on with the run"
        )
    if instance.obstacle:
        found.append(instance.obstacle)
    for key, step in sorted(instance.active.items()):
        if step.state == "ready":
            found.append(_of_ready(key, step, snapshot, now))
        found += _of_definition(key, step, workflow)
    unseen = [m for m in snapshot.inbox if not m.seen and (m.not_before or now) <= now]
    if unseen:
        found.append(f"messages yet to be applied, by whoever knows the workflow: {len(unseen)}")
    return found


def _workflow(instance: Instance) -> type[Workflow] | None:
    try:
        return registry.find(instance.workflow, instance.workflow_version)
    except UnknownWorkflow:
        return None


def _of_ready(key: str, step: ActiveStep, snapshot: Snapshot, now: datetime) -> str:
    """Return who has a step that is to be executed, or when somebody may take it."""
    until = snapshot.live(now).get(key)
    if until is not None:
        return f"step {key!r} is executing, attempt {step.attempt}, leased until {until}"
    is_over = any(ended.step == key for ended in snapshot.ended(now))
    if is_over or step.deadline is None or step.deadline <= now:
        return f"step {key!r} is ready, and no worker has taken it"
    if step.dispatches:
        return f"step {key!r} was sent to a worker, and is sent again at {step.deadline}"
    return f"step {key!r} goes on at {step.deadline}, with attempt {step.attempt}"


def _of_definition(key: str, step: ActiveStep, workflow: type[Workflow] | None) -> Iterator[str]:
    """Return what a step waits for, as this process defines it."""
    if workflow is None:
        return
    definition = workflow.graph.steps.get(key)
    if definition is None:
        yield f"workflow {workflow.name!r} has no step {key!r} here; its definition has changed"
    elif step.state != "ready":
        # A WaitForEvent takes its own name besides the events that it declares.
        names = dict.fromkeys((getattr(definition, "name", None), *definition.events))
        yield f"step {key!r} takes {', '.join(name for name in names if name)}"
