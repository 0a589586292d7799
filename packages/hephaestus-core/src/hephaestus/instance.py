"""One execution of a workflow, as a value; and the entries of its history."""

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from hephaestus import key
from hephaestus.context import Context
from hephaestus.errors import InvalidArgument
from hephaestus.outcome import Halt

Status: TypeAlias = Literal[
    "pending", "running", "waiting", "halted", "completed", "failed", "cancelled"
]
"""Where a run stands; the last three are final, but for `retry` of a failed one."""

STATUSES: tuple[Status, ...] = get_args(Status)
DONE = "done"
"""The key of `Done`, the step that completes a run; no other step may have it."""

TERMINAL: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})

Action: TypeAlias = Literal[
    "completed", "suspended", "resumed", "halted", "failed", "retried", "skipped", "lost",
    "dropped", "cancelled",
]  # fmt: skip


NEVER = datetime.fromtimestamp(0, UTC)
"""The default for times that do not apply; it is not stored."""


class StepError(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Why an attempt of a step failed."""

    step: str
    type: str
    """The name of the exception's class."""

    message: str
    attempt: int

    def __str__(self) -> str:
        return f"step {self.step!r}, attempt {self.attempt}: {self.type}: {self.message}"


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of a run's history."""

    id: str
    run_id: str
    step: str | None = None
    """The step's key; None for what happened to the run as a whole."""

    step_type: str | None = None
    """Where the step is defined: module and name."""

    action: Action
    event: str | None = None
    attempt: int | None = None
    duration: float | None = None
    """Seconds: of the body, or for `resumed` of the wait."""

    input: dict[str, Any] | None = None
    """The step's config."""

    output: dict[str, Any] | None = None
    """The step's data; for `halted` the question's; for `dropped` the payload."""

    error: StepError | None = None
    timestamp: datetime

    def __str__(self) -> str:
        parts = [self.timestamp.isoformat(" ", "milliseconds"), self.step, self.action, self.event]
        if self.attempt is not None and self.attempt > 1:
            parts.append(f"(attempt {self.attempt})")
        line = " ".join(part for part in parts if part)
        if self.error is None:
            return line
        # An error's text may have lines of its own.
        return f"{line}: {self.error.type}: {' '.join(self.error.message.split())}"


class ActiveStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a run remembers of a step that is not finished."""

    state: Literal["ready", "waiting", "halted"] = "ready"
    attempt: int = 1
    deadline: datetime | None = None
    """When to look again: a retry's time, the end of a lease or of a dispatch, a timer."""

    dispatches: int = 0
    """How often this attempt was handed out: leased, or sent to a broker."""

    failures: int = 0
    """Failed attempts that count towards `max_attempts`."""

    losses: int = 0
    """Attempts lost in a row to crashes."""

    since: datetime = NEVER
    """When a waiting or halted step began to wait; for a ready one nobody asks."""

    config: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    """What answered the halt of an earlier attempt."""

    halt: Halt | None = None


class FinishedStep(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a run remembers of a step that is resolved; stored at every commit, hence as a list."""

    event: str | None = None
    """None: the step was skipped."""

    routes: dict[str, dict[str, Any] | None] = {}
    """The targets it chose, with the config that the edge carries."""


class Identity(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which run a step works for; what `ctx.instance` shows."""

    id: str
    run_id: str
    workflow: str
    workflow_version: int
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    """The workflow's metadata."""

    runtime_metadata: dict[str, Any] = {}
    telemetry_metadata: dict[str, Any] = {}


class Instance(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One execution of a workflow.

    It holds the workflow's name, never its class, so that any process can read it. What
    users put in is plain data of their own shape, hence `Any`.

    Raises:
        InvalidArgument: A field has a value that no run can have.
    """

    id: str
    """The business id, `key::value`; a later run may have the same."""

    run_id: str = msgspec.field(default_factory=key.new_run_id)
    workflow: str
    workflow_version: int = 1
    status: Status = "pending"
    context: Context = Context()
    active: dict[str, ActiveStep] = {}
    """The steps under way, by key."""

    finished: dict[str, FinishedStep] = {}
    """The steps completed or skipped, by key."""

    stopped: dict[str, ActiveStep] = {}
    """The steps that were under way when the run failed; `retry` takes them up again."""

    runtime_metadata: dict[str, Any] = {}
    """What steps returned as metadata."""

    telemetry_metadata: dict[str, Any] = {}
    """What the caller of `start` wants to see on every telemetry event."""

    tags: tuple[str, ...] = ()
    error: StepError | None = None
    execution_history: tuple[Entry, ...] = ()
    """Filled by `get`, `history` and `wait`; empty in queries."""

    created_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    revision: int = 0
    """Counts the writes."""

    kept: int = 0
    """How many messages an unfinished run has that are too early for their steps."""

    unique_key: str | None = None
    """What no other unfinished run may hold."""

    def __post_init__(self) -> None:
        # Every commit makes two instances, so what is sound passes in one breath.
        if (
            type(self.id) is str is type(self.workflow)
            and type(self.workflow_version) is int
            and self.workflow_version > 0
            and self.status in STATUSES
            and self.id
            and self.workflow
        ):
            return
        raise InvalidArgument(
            "an instance has an id and the name of its workflow, a version from 1 and a status "
            f"({', '.join(STATUSES)}); got id={self.id!r}, workflow={self.workflow!r}, "
            f"workflow_version={self.workflow_version!r}, status={self.status!r}"
        )

    @property
    def is_finished(self) -> bool:
        """True for completed, failed and cancelled."""
        return self.status in TERMINAL

    @property
    def result(self) -> dict[str, Any] | None:
        """The data of the step that led to Done, by key if several did; None until completed."""
        if self.status != "completed":
            return None
        last = [k for k, step in self.finished.items() if DONE in step.routes]
        results = {k: self.context.steps[k] for k in last if k in self.context.steps}
        return next(iter(results.values())) if len(results) == 1 else results

    @property
    def active_steps(self) -> frozenset[str]:
        """The keys of the steps under way, waiting and halted ones among them."""
        return frozenset(self.active)

    @property
    def completed_steps(self) -> frozenset[str]:
        """The keys of the steps that ended with an event."""
        return frozenset(k for k, step in self.finished.items() if step.event is not None)

    @property
    def skipped_steps(self) -> frozenset[str]:
        """The keys of the steps that no path chose."""
        return frozenset(k for k, step in self.finished.items() if step.event is None)

    @property
    def waiting_steps(self) -> frozenset[str]:
        """The keys of the steps that wait for an event or a timer."""
        return frozenset(k for k, step in self.active.items() if step.state == "waiting")

    @property
    def step_configs(self) -> dict[str, dict[str, Any]]:
        """The config of each active step that has one."""
        return {k: step.config for k, step in self.active.items() if step.config is not None}

    @property
    def current_step(self) -> str | None:
        """The step that has waited or been halted longest, else the only active one."""
        stopped = [(step.since, k) for k, step in self.active.items() if step.state != "ready"]
        if stopped:
            return min(stopped)[1]
        return next(iter(self.active)) if len(self.active) == 1 else None

    @property
    def halt_data(self) -> dict[str, Any] | None:
        """What the longest halted step asks."""
        halt = self._halted()
        return None if halt is None else dict(halt.data)

    @property
    def halt_prompt(self) -> str | None:
        """The question of the longest halted step, for people."""
        halt = self._halted()
        return None if halt is None else halt.prompt

    @property
    def recover_to(self) -> str | None:
        """Where it goes on: a failed run's failed step, or the halt's default answer."""
        if self.status == "failed" and self.error is not None:
            return self.error.step
        halt = self._halted()
        return None if halt is None else halt.resume_to

    @property
    def obstacle(self) -> str | None:
        """What keeps an unfinished run from going on, in words; None if nothing is known to.

        The error of an attempt that failed is known where the history was read.
        """
        known = [self._obstacle(key, step) for key, step in sorted(self.active.items())]
        return "; ".join(text for text in known if text) or None

    def _obstacle(self, key: str, step: ActiveStep) -> str | None:
        match step.state:
            case "halted":
                return f"step {key!r} halted and waits for an answer"
            case "waiting":
                until = "" if step.deadline is None else f", at most until {step.deadline}"
                return f"step {key!r} waits for an event{until}"
        if not step.failures:
            return None
        errors = [e.error for e in self.execution_history if e.step == key and e.error is not None]
        last = f", last with {errors[-1].type}: {errors[-1].message}" if errors else ""
        return f"step {key!r} failed {step.failures} times{last}"

    def _halted(self) -> Halt | None:
        halts = [
            (step.since, k, step.halt) for k, step in self.active.items() if step.state == "halted"
        ]
        return min(halts)[2] if halts else None
