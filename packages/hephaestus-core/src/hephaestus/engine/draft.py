"""An instance being moved: the rules of steps, joins, failure and timers."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from hephaestus.engine.effects import Transition, Waited
from hephaestus.engine.handout import leased_until
from hephaestus.engine.ledger import Ledger
from hephaestus.engine.visible import step_context
from hephaestus.errors import DamagedInstance, Fatal, InvalidArgument
from hephaestus.instance import DONE, NEVER, ActiveStep, FinishedStep, Instance, StepError
from hephaestus.message import EventPosted, LeaseEnded, Source, StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Suspend, text_of
from hephaestus.retry import DEFAULT_RETRY, Retry
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow


class Draft:
    """A working copy of one instance; its methods apply one fact each.

    Only `advance` and `retry` make one, and it never outlives their call.
    """

    def __init__(self, instance: Instance, workflow: type[Workflow], now: datetime) -> None:
        self.before = instance
        self.now = now
        self.changed = False
        self.transitions: list[Transition] = []
        self.waits: list[Waited] = []
        self.freed: list[tuple[str, int]] = []
        self.ledger = Ledger(instance, workflow.graph.steps, now)
        self._workflow = workflow
        self._graph = workflow.graph
        self._active = dict(instance.active)
        self._finished = dict(instance.finished)
        self._resolved: dict[str, int] = {}
        self._results = dict(instance.context.steps)
        self._metadata = instance.runtime_metadata
        self._stopped = instance.stopped
        self._error = instance.error
        self._failed = instance.status == "failed"
        self.completed = False

    def begin(self) -> None:
        """Activate the start step."""
        self._activate(self._graph.start, self._fresh([self._graph.start_config]))

    def take_up_again(self) -> None:
        """Undo the failure: the failed step gets a new budget of attempts, the others go on."""
        error = self._error
        if error is None or error.step not in self._stopped:
            raise DamagedInstance(self.before.run_id, "it failed and does not say where")
        self._failed = False
        self._error = None
        self._stopped = {}
        for key, step in self.before.stopped.items():
            self._active[key] = step
            if step.state == "ready" and step.dispatches:
                self._set(key, deadline=self.now, dispatches=0)
        failed = self._next_attempt(self._active[error.step], failures=0, losses=0)
        self.ledger.add("retried", error.step, attempt=failed.attempt)
        self._activate(error.step, failed)

    def end_step(self, ended: StepEnded) -> bool:
        """Take the outcome of an attempt, once; answer False to keep it for a retry."""
        if self._error is not None and self._error.step != ended.step:
            stopped = self._stopped.get(ended.step)
            if stopped is not None and _awaits(stopped, ended):
                return False
        step = self._active.get(ended.step)
        if step is None or not _awaits(step, ended):
            self.changed = True
            self.ledger.drop(ended)
            return True
        self.changed = True
        self._settle(ended, step)
        return True

    def take_event(self, posted: EventPosted) -> bool:
        """End the wait of the event's step, or answer False if the event is early."""
        key = posted.step
        step = self._active.get(key)
        known = key in self._graph.steps and key not in self._finished
        if known and (step is None or step.state == "ready"):
            return False
        self.changed = True
        if known and step is not None and self._takes(key, step, posted.event):
            self._resume(key, step, posted.event, posted.payload, "external")
        else:
            self.ledger.add("dropped", key, event=posted.event, output=posted.payload)
        return True

    def lose(self, lease: LeaseEnded) -> None:
        """Free the attempt of a released lease; replace that of an expired one."""
        step = self._active.get(lease.step)
        if step is None or step.state != "ready" or step.attempt != lease.attempt:
            return
        self.changed = True
        if lease.released:
            self.freed.append((lease.step, lease.attempt))
            self._set(lease.step, deadline=self.now, dispatches=0)
            return
        self.ledger.add("lost", lease.step, attempt=step.attempt)
        losses = step.losses + 1
        limit = self._policy(lease.step).max_lost
        if losses >= limit:
            reason = f"{losses} attempts in a row were lost with the process that executed them"
            self._fail(lease.step, step, "LeaseLost", reason)
        else:
            self._active[lease.step] = self._next_attempt(step, losses=losses)

    def fire_timer(self) -> bool:
        """End the wait of the earliest timer that is due; answer False if none is."""
        due = []
        for key, step in self._active.items():
            if step.state == "waiting" and step.deadline is not None and step.deadline <= self.now:
                due.append((step.deadline, key))
        if not due:
            return False
        key = min(due)[1]
        self._resume(key, self._active[key], "timeout", {}, "timeout")
        return True

    def respect(self, leases: Mapping[str, datetime]) -> None:
        """Move the deadline of each step that somebody executes beyond the end of its lease."""
        for key, until in leases.items():
            before, step = self.before.active.get(key), self._active.get(key)
            if before is None or step is None or step.state != "ready":
                continue
            # The lease of an attempt that has just ended must not hold up the next one.
            if step.attempt != before.attempt:
                continue
            if step.deadline is None or step.deadline <= self.now:
                self.changed = True
                # It was handed out, by a claim if not by a commit: see take_up_again.
                self._set(key, deadline=leased_until(until), dispatches=max(step.dispatches, 1))

    def finish(self, *, kept: int) -> Instance:
        """Return the instance as it is now, at the next revision, with so many messages kept."""
        before = self.before
        done = self.completed or self._failed
        if not done and not self._active:
            raise InvalidArgument(
                f"run {before.run_id} of workflow {before.workflow!r} stands nowhere: what its "
                "finished steps chose does not lead on; give a changed definition a new version="
            )
        # What reaches a failed run changes its inbox and history, and nothing else.
        untouched = self._failed and self._error is before.error
        return msgspec.structs.replace(
            before,
            status=self._status(),
            context=msgspec.structs.replace(before.context, steps=self._results),
            active=self._active,
            finished=self._finished,
            stopped=self._stopped,
            runtime_metadata=self._metadata,
            error=self._error,
            updated_at=before.updated_at if untouched else self.now,
            finished_at=before.finished_at if untouched else self.now if done else None,
            revision=before.revision + 1,
            kept=0 if done else kept,
        )

    def _status(self) -> Literal["running", "waiting", "halted", "completed", "failed"]:
        if self.completed:
            return "completed"
        if self._failed:
            return "failed"
        waits = bool(self._active)
        for step in self._active.values():
            if step.state == "halted":
                return "halted"
            waits = waits and step.state == "waiting"
        return "waiting" if waits else "running"

    def _settle(self, ended: StepEnded, step: ActiveStep) -> None:
        match ended.outcome:
            case Completed() as outcome:
                self._complete(ended.step, step, outcome, ended.duration)
            case Suspend() as outcome:
                self._suspend(ended.step, step, outcome.length, ended.duration)
            case Halt() as outcome:
                self._halt(ended.step, step, outcome, ended.duration)
            case Failed() as outcome:
                self._failed_attempt(ended.step, step, outcome, ended.duration)

    def _complete(
        self, key: str, step: ActiveStep, outcome: Completed, duration: float | None
    ) -> None:
        routes: Mapping[str, dict[str, Any] | None] | None = outcome.routes
        if routes is None:
            try:
                routes = self._routes(key, step, outcome)
            except (Fatal, InvalidArgument) as error:
                self._fail(key, step, type(error).__name__, text_of(error))
                return
        self._active.pop(key, None)
        self._results[key] = outcome.data
        self._finished[key] = FinishedStep(event=outcome.event, routes=dict(routes))
        if outcome.metadata:
            self._metadata = {**self._metadata, **outcome.metadata}
        self.ledger.add(
            "completed", key, event=outcome.event, attempt=step.attempt, duration=duration,
            input=step.config, output=outcome.data,
        )  # fmt: skip
        self.completed = self.completed or key == DONE
        source = len(self.transitions)
        targets = self._resolve(self._graph.successors[key], routes)
        self.transitions.insert(
            source, Transition(source=key, event=outcome.event, targets=targets)
        )

    def _routes(
        self, key: str, step: ActiveStep, outcome: Completed
    ) -> Mapping[str, dict[str, Any] | None]:
        target = self._graph.target(key, outcome.event)
        if isinstance(target, Choose):
            context = step_context(self._workflow, self._view(), key, step, own=outcome.data)
            return target.pick(context)
        return target

    def _view(self) -> Instance:
        """The run with the results so far, for those who look at it within the advance."""
        return msgspec.structs.replace(
            self.before,
            context=msgspec.structs.replace(self.before.context, steps=self._results),
            runtime_metadata=self._metadata,
        )

    def _resolve(
        self, candidates: tuple[str, ...], routes: Mapping[str, object]
    ) -> tuple[str, ...]:
        """Activate or skip each candidate whose predecessors are all resolved.

        Skipping resolves onwards: dead-path elimination, as in BPEL.

        Returns:
            Those of the routes that were activated.
        """
        targets = []
        queue = deque(candidates)
        while queue:
            key = queue.popleft()
            if key in self._finished or key in self._active:
                continue
            chosen = self._edges_to(key)
            if chosen is None:
                continue
            if chosen:
                if key in routes:
                    targets.append(key)
                self._activate(key, self._fresh(chosen))
            else:
                self._finished[key] = FinishedStep()
                self.ledger.add("skipped", key)
                queue.extend(self._graph.successors[key])
        return tuple(targets)

    def _edges_to(self, key: str) -> list[dict[str, Any] | None] | None:
        """Return the configs of the edges that chose a step, or None if some are still open."""
        predecessors, finished = self._graph.predecessors[key], self._finished
        # What is resolved stays so: a wide join is looked through once, not for each branch.
        count = self._resolved.get(key, 0)
        while count < len(predecessors) and predecessors[count] in finished:
            count += 1
        self._resolved[key] = count
        if count < len(predecessors):
            return None
        routes = [finished[predecessor].routes for predecessor in predecessors]
        return [chosen[key] for chosen in routes if key in chosen]

    def _fresh(self, configs: Iterable[Mapping[str, Any] | None]) -> ActiveStep:
        """Return the first attempt of a step; of the configs of its edges the last one counts."""
        config = None
        for given in configs:
            if given is not None:
                config = dict(given)
        return ActiveStep(deadline=self.now, config=config)

    def _activate(self, key: str, record: ActiveStep) -> None:
        """Make the step ready, or settle it at once where the engine does that itself."""
        self.changed = True
        self._active[key] = record
        step = self._graph.steps[key]
        if not step.settled:
            return
        if step.ends:
            self._complete(key, record, Completed(event=step.events[0], routes={}), 0.0)
            return
        returned = step.execute(step_context(self._workflow, self._view(), key, record))
        if isinstance(returned, Suspend):
            self._suspend(key, record, returned.length, 0.0)
        else:
            self._complete(key, record, Completed(event=step.events[0]), 0.0)

    def _suspend(
        self, key: str, step: ActiveStep, timeout: timedelta | None, duration: float
    ) -> None:
        deadline = None if timeout is None else self.now + timeout
        self._active[key] = msgspec.structs.replace(
            step, state="waiting", deadline=deadline, since=self.now, losses=0
        )
        self.ledger.add(
            "suspended", key, attempt=step.attempt, duration=duration, input=step.config
        )

    def _halt(self, key: str, step: ActiveStep, halt: Halt, duration: float) -> None:
        self._active[key] = msgspec.structs.replace(
            step, state="halted", deadline=None, since=self.now, halt=halt, losses=0
        )
        self.ledger.add(
            "halted", key, attempt=step.attempt, duration=duration, input=step.config,
            output=dict(halt.data),
        )  # fmt: skip

    def _resume(
        self, key: str, step: ActiveStep, event: str, payload: dict[str, Any], source: Source
    ) -> None:
        self.changed = True
        waited = (self.now - step.since).total_seconds()
        self.ledger.add(
            "resumed", key, event=event, attempt=step.attempt, duration=waited, output=payload
        )
        self.waits.append(Waited(step=key, event=event, source=source, duration=waited))
        declared = self._graph.steps[key].takes(event)
        if declared is None and _asks(step, event):
            self._active[key] = self._next_attempt(step, answer=payload)
        else:
            outcome = Completed(event=declared or event, data=payload)
            self._complete(key, step, outcome, None)

    def _takes(self, key: str, step: ActiveStep, event: str) -> bool:
        return self._graph.steps[key].takes(event) is not None or _asks(step, event)

    def _failed_attempt(self, key: str, step: ActiveStep, outcome: Failed, duration: float) -> None:
        policy = self._policy(key)
        failures = step.failures + 1
        error = StepError(
            step=key, type=outcome.type, message=outcome.message, attempt=step.attempt
        )
        self.ledger.add(
            "failed", key, attempt=step.attempt, duration=duration, input=step.config, error=error
        )
        if outcome.fatal or failures >= policy.max_attempts:
            self._stop(error)
            return
        pause = policy.delay(failures, seed=f"{self.before.run_id}/{key}/{step.attempt}")
        self._active[key] = self._next_attempt(
            step, failures=failures, losses=0, deadline=self.now + pause
        )

    def _fail(self, key: str, step: ActiveStep, kind: str, reason: str) -> None:
        error = StepError(step=key, type=kind, message=reason, attempt=step.attempt)
        self.ledger.add("failed", key, attempt=step.attempt, input=step.config, error=error)
        self._stop(error)

    def _stop(self, error: StepError) -> None:
        """Fail the run; what was under way is kept for a retry."""
        self._failed = True
        self._error = error
        self._stopped, self._active = self._active, {}

    def _next_attempt(self, step: ActiveStep, **changes: Any) -> ActiveStep:
        fresh = {"state": "ready", "attempt": step.attempt + 1, "deadline": self.now}
        fresh |= {"dispatches": 0, "halt": None, "since": NEVER}
        return msgspec.structs.replace(step, **(fresh | changes))

    def _set(self, key: str, **changes: Any) -> None:
        self._active[key] = msgspec.structs.replace(self._active[key], **changes)

    def _policy(self, key: str) -> Retry:
        step = self._graph.steps.get(key)  # a changed definition may have it no more
        own = None if step is None else step.retry
        return own or self._workflow.retry_policy or DEFAULT_RETRY


def _awaits(step: ActiveStep, ended: StepEnded) -> bool:
    return step.state == "ready" and step.attempt == ended.attempt


def _asks(step: ActiveStep, event: str) -> bool:
    """Return whether the step is halted and the event would run it again."""
    return step.halt is not None and step.halt.resume_to == event
