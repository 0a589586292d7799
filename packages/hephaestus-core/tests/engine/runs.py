"""Workflows, runs and messages made by hand."""

import itertools
import types
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hephaestus import registry
from hephaestus.context import Context
from hephaestus.engine import Advanced, advance
from hephaestus.instance import Entry, Instance
from hephaestus.message import Body, CancelRequested, EventPosted, Message, StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Outcome, Suspend
from hephaestus.retry import Retry
from hephaestus.steps import Step, StepContext
from hephaestus.workflow import Workflow

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = "0199c000-0000-7000-8000-000000000001"

_numbers = itertools.count(1)


class Work(Step):
    """A step of any key and events; the engine leaves its body to others."""

    def __init__(self, key: str, *events: str, retry: Retry | None = None) -> None:
        self.key = key
        self.events = events or ("done",)
        self.retry = retry

    def execute(self, ctx: StepContext) -> object:
        raise AssertionError(f"the engine called the body of {self.key}")


def flow(
    start: object,
    transitions: Mapping[Any, Mapping[str, Any]],
    *,
    retry: Retry | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> type[Workflow]:
    """Define a workflow that no registry knows: the engine is given the class."""

    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["start_step"] = start
        namespace["transitions"] = transitions

    options = {"unique": "orderid", "retry": retry, "metadata": metadata}
    made: type[Workflow] = types.new_class(f"Flow{next(_numbers)}", (Workflow,), options, body)
    registry.unregister(made)
    return made


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def pending(workflow: type[Workflow], initial: Mapping[str, Any] | None = None) -> Instance:
    return Instance(
        id="orderid::1",
        run_id=RUN,
        workflow=workflow.name,
        workflow_version=workflow.version,
        context=Context(initial=dict(initial or {})),
        created_at=NOW,
    )


def begun(workflow: type[Workflow], initial: Mapping[str, Any] | None = None) -> Instance:
    return advance(pending(workflow, initial), workflow, NOW).instance


def told(
    instance: Instance, workflow: type[Workflow], *what: Body | Message, now: datetime = NOW
) -> Advanced:
    """Advance the run by messages, which come in this order."""
    return advance(instance, workflow, now, inbox=[message(one) for one in what])


def after(
    instance: Instance, workflow: type[Workflow], *what: Body | Message, now: datetime = NOW
) -> Instance:
    return told(instance, workflow, *what, now=now).instance


def message(what: Body | Message, *, not_before: datetime | None = None) -> Message:
    if isinstance(what, Message):
        return what
    number = next(_numbers)
    return Message(
        id=f"m{number}",
        run_id=RUN,
        body=what,
        dedup_key=f"m{number}",
        not_before=not_before,
        sequence=number,
    )


def ended(
    step: str,
    event: str = "done",
    data: Mapping[str, Any] | None = None,
    *,
    attempt: int = 1,
    metadata: Mapping[str, Any] | None = None,
    routes: dict[str, dict[str, Any] | None] | None = None,
) -> StepEnded:
    outcome = Completed(
        event=event, data=dict(data or {}), metadata=dict(metadata or {}), routes=routes
    )
    return came_to(step, outcome, attempt)


def suspended(step: str, timeout: float | None = None, *, attempt: int = 1) -> StepEnded:
    return came_to(step, Suspend(timeout), attempt)


def halted(step: str, resume_to: str | None = None, *, attempt: int = 1) -> StepEnded:
    return came_to(step, Halt({"asks": step}, resume_to=resume_to), attempt)


def failed(step: str, *, attempt: int = 1, fatal: bool = False) -> StepEnded:
    return came_to(step, Failed(type="OSError", message="no route", fatal=fatal), attempt)


def came_to(step: str, outcome: Outcome, attempt: int = 1) -> StepEnded:
    return StepEnded(step=step, attempt=attempt, outcome=outcome, duration=0.5)


def posted(step: str, event: str, payload: Mapping[str, Any] | None = None) -> EventPosted:
    return EventPosted(step=step, event=event, payload=dict(payload or {}))


def cancelled() -> CancelRequested:
    return CancelRequested()


def lines(advanced: Advanced) -> list[tuple[str, str | None]]:
    """Return action and step of each entry."""
    return [(entry.action, entry.step) for entry in advanced.entries]


def line(advanced: Advanced, action: str) -> Entry:
    """Return the only entry of an action."""
    (entry,) = [entry for entry in advanced.entries if entry.action == action]
    return entry
