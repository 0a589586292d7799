"""What is remembered of each run, to judge by."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hephaestus.instance import Instance
from hephaestus.message import CancelRequested, EventPosted, Message, StepEnded
from hephaestus.storage import Lease
from protocol.simulation.world import Process

Attempt = tuple[str, int]
"""A step and one of its attempts."""


@dataclass(slots=True, eq=False)
class Tenure:
    """A process's right to execute an attempt, as the storage granted it."""

    process: Process
    lease: Lease
    until: datetime
    since: int
    """In turns of the world."""

    state: Literal["held", "released", "ended"] = "held"
    begun: bool = False
    ended_at: float = 0.0
    """In seconds of the world; of one that a commit ended."""

    ended_turn: int = 0


@dataclass(slots=True, eq=False)
class Body:
    """A body being executed."""

    process: Process
    run_id: str
    attempt: Attempt
    tenure: Tenure | None


@dataclass(slots=True, eq=False)
class Run:
    """A run as all commits so far have made it."""

    instance: Instance
    token: str
    ended: int = -1
    """When it last ended, in turns of the world."""

    deleted: bool = False
    completed: set[str] = field(default_factory=set)
    """The steps with a `completed` entry."""

    taken: set[Attempt] = field(default_factory=set)
    """The attempts whose outcome a commit has taken."""

    posted: dict[str, Message] = field(default_factory=dict)
    """The messages that were accepted, in their order."""

    posters: dict[str, tuple[Process, int]] = field(default_factory=dict)
    """Who posted a message, and when, in turns."""

    unhinted: set[str] = field(default_factory=set)
    """The messages whose senders leave it to others to advance the run."""

    seen: set[str] = field(default_factory=set)
    """The messages that a commit has kept."""

    gone: dict[str, str] = field(default_factory=dict)
    """The messages that left the inbox, and why."""

    loaded: dict[tuple[Process, int], set[str]] = field(default_factory=dict)
    """The inbox as a process loaded it with a revision, at the least."""

    tenures: dict[Attempt, list[Tenure]] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    begun: dict[str, int] = field(default_factory=dict)
    """The latest attempt of each step whose body began."""

    causes: dict[str, str] = field(default_factory=dict)
    """Why a step has its latest attempt, unless it is the first."""

    def inbox(self) -> list[Message]:
        """Return the messages that should still be there."""
        return [m for m in self.posted.values() if m.id not in self.gone]

    def has_outcome(self, attempt: Attempt, known: set[str]) -> bool:
        """Return whether an outcome of the attempt was taken, or is among the known messages."""
        return attempt in self.taken or any(
            isinstance(m.body, StepEnded) and (m.body.step, m.body.attempt) == attempt
            for m in self.posted.values()
            if m.id in known
        )

    def last_tenure(self, attempt: Attempt) -> Tenure | None:
        """Return the latest tenure of an attempt."""
        return self.tenures.get(attempt, [None])[-1]

    def waits_for_outside(self) -> bool:
        """Return whether nothing but an event, an answer or a retry can move it, if that."""
        if self.deleted or self.instance.is_finished:
            return True
        steps = self.instance.active.values()
        return all(s.state != "ready" and s.deadline is None for s in steps) and not any(
            self._could_apply(message) for message in self.inbox()
        )

    def _could_apply(self, message: Message) -> bool:
        match message.body:
            case EventPosted(step=key):
                step = self.instance.active.get(key)
                return key in self.instance.finished or (step is not None and step.state != "ready")
            case StepEnded() | CancelRequested():
                return True
