"""What every commit has to keep; each rule answers what is wrong, or None."""

from collections.abc import Callable

import msgspec

from hephaestus.engine import wake_at
from hephaestus.message import CancelRequested, EventPosted, Message
from hephaestus.storage import Change
from protocol.simulation.records import Attempt, Run
from protocol.simulation.world import Process

NEXT_ATTEMPT = ("failed", "lost", "retried", "resumed")
"""What gives a step its next attempt."""

_OUTCOMES = ("completed", "suspended", "halted", "failed")
_FAILURES = ("Broken", "Fatal", "LeaseLost", "TimeoutError")


def broken_rule(run: Run, change: Change, process: Process) -> str | None:
    """Return what the commit does that none may do, judged by the run before it."""
    for rule in _RULES:
        wrong = rule(run, change, process)
        if wrong is not None:
            return f"{wrong} (commit of revision {change.instance.revision} by {process.label})"
    return None


def outcomes_in(change: Change) -> list[Attempt]:
    """Return the attempts whose outcomes the change takes.

    An entry of an outcome has the duration of its body; that of an event or a timer has none.
    """
    return [
        (entry.step, entry.attempt)
        for entry in change.entries
        if entry.action in _OUTCOMES and entry.duration is not None
        and entry.step is not None and entry.attempt is not None
    ]  # fmt: skip


def _the_revision_follows(run: Run, change: Change, process: Process) -> str | None:
    if change.instance.revision != run.instance.revision + 1:
        return f"a revision follows {run.instance.revision}"
    return None


def _it_is_news(run: Run, change: Change, process: Process) -> str | None:
    """A commit that says nothing new may be repeated for ever."""
    before, after = run.instance, change.instance
    same = msgspec.structs.replace(after, revision=before.revision, updated_at=before.updated_at)
    leases = change.granted or change.freed
    said = change.entries or change.consumed or leases or set(change.kept) - run.seen
    if same == before and not said and not _a_message_has_come_of_age(run, change):
        return "nothing new is committed"
    return None


def _a_message_has_come_of_age(run: Run, change: Change) -> bool:
    before, now = run.instance.updated_at, change.instance.updated_at
    times = [message.not_before for message in run.posted.values()]
    return any(at and before and now and before < at <= now for at in times)


def _the_end_is_final(run: Run, change: Change, process: Process) -> str | None:
    before, after = run.instance, change.instance
    actions = {entry.action for entry in change.entries}
    if before.status == "failed" and "retried" in actions:
        return None
    if before.is_finished and (before.status != after.status or actions - {"dropped"}):
        return f"a {before.status} run becomes {after.status} by {sorted(actions)}"
    return None


def _a_step_completes_once(run: Run, change: Change, process: Process) -> str | None:
    seen = set(run.completed)
    for entry in change.entries:
        if entry.action == "completed" and entry.step is not None:
            if entry.step in seen:
                return f"step {entry.step!r} completes twice"
            seen.add(entry.step)
    return None


def _an_outcome_is_taken_once(run: Run, change: Change, process: Process) -> str | None:
    seen = set(run.taken)
    for attempt in outcomes_in(change):
        if attempt in seen:
            return f"two outcomes of {attempt} are taken"
        seen.add(attempt)
    return None


def _what_is_finished_stays(run: Run, change: Change, process: Process) -> str | None:
    before, after = run.instance, change.instance
    for key, step in before.finished.items():
        if after.finished.get(key) != step:
            return f"the finished step {key!r} changes"
    for key, result in before.context.steps.items():
        if after.context.steps.get(key) != result:
            return f"the result of step {key!r} changes"
    return None


def _attempts_have_reasons(run: Run, change: Change, process: Process) -> str | None:
    known = {**run.instance.stopped, **run.instance.active}
    reasons = {e.step for e in change.entries if e.action in NEXT_ATTEMPT}
    for key, step in change.instance.active.items():
        old = known.get(key)
        if old is None and step.attempt != 1:
            return f"step {key!r} begins with attempt {step.attempt}"
        if old is not None and step.attempt < old.attempt:
            return f"step {key!r} goes back to attempt {step.attempt}"
        if old is not None and step.attempt > old.attempt and key not in reasons:
            return f"attempt {step.attempt} of step {key!r} has no reason"
    return None


def _a_loss_has_a_cause(run: Run, change: Change, process: Process) -> str | None:
    for entry in change.entries:
        if entry.action != "lost" or entry.step is None or entry.attempt is None:
            continue
        tenure = run.last_tenure((entry.step, entry.attempt))
        if tenure is None:
            return f"attempt {entry.attempt} of {entry.step!r} is lost, and nobody had it"
        if tenure.state == "released":
            return f"attempt {entry.attempt} of {entry.step!r} is lost, and was given back"
        holder = tenure.process
        if holder.is_calm_since(tenure.since):
            return (
                f"attempt {entry.attempt} of {entry.step!r} is lost, "
                f"and {holder.label} was never disturbed"
            )
    return None


def _failures_are_wanted(run: Run, change: Change, process: Process) -> str | None:
    for entry in change.entries:
        if entry.error is not None and entry.error.type not in _FAILURES:
            return f"a step failed by {entry.error}"
    return None


def _messages_leave_once(run: Run, change: Change, process: Process) -> str | None:
    for message_id in change.consumed:
        if message_id in run.gone:
            return f"a message that is {run.gone[message_id]} is consumed"
        if message_id not in run.posted:
            return "a message that nobody posted is consumed"
    return None


def _events_come_in_order(run: Run, change: Change, process: Process) -> str | None:
    resumed = {(e.step, e.event) for e in change.entries if e.action == "resumed"}
    left: dict[str, Message] = {}
    for message in run.posted.values():
        body = message.body
        if not isinstance(body, EventPosted) or message.id in run.gone or message.not_before:
            continue
        if message.id not in change.consumed:
            left.setdefault(body.step, message)
        elif body.step in left and (body.step, body.event) in resumed:
            return f"step {body.step!r} takes an event before an earlier one"
    return None


def _an_event_in_time_beats_the_timer(run: Run, change: Change, process: Process) -> str | None:
    """Compare with the inbox as the writer loaded it: what came later may lose."""
    consumed = {
        (body.step, body.event)
        for message_id in change.consumed
        if isinstance(body := run.posted[message_id].body, EventPosted)
    }
    loaded = run.loaded.get((process, run.instance.revision), set())
    for entry in change.entries:
        fired = entry.action == "resumed" and entry.event == "timeout"
        if not fired or (entry.step, "timeout") in consumed:
            continue
        for message in run.inbox():
            body = message.body
            if (
                isinstance(body, EventPosted) and body.step == entry.step
                and message.id in loaded and message.not_before is None
                and message.id not in change.consumed
            ):  # fmt: skip
                return f"the timer of {entry.step!r} beats the event {body.event!r}"
    return None


def _a_step_is_handed_out_again_when_it_is_time(
    run: Run, change: Change, process: Process
) -> str | None:
    """Else a busy broker drowns in copies of one message."""
    now = change.instance.updated_at
    if any(entry.action == "retried" for entry in change.entries):
        return None
    for key, old in run.instance.active.items():
        new = change.instance.active.get(key)
        if new is None or new.state != "ready" or new.attempt != old.attempt or not old.dispatches:
            continue
        early = old.deadline is not None and now is not None and now < old.deadline
        if early and new.deadline != old.deadline and (key, old.attempt) not in change.freed:
            return f"step {key!r} is handed out again before {old.deadline}"
    return None


def _a_cancel_ends_the_run(run: Run, change: Change, process: Process) -> str | None:
    asked = any(isinstance(run.posted[m].body, CancelRequested) for m in change.consumed)
    if asked and not run.instance.is_finished and change.instance.status != "cancelled":
        return "a cancel is consumed, and the run goes on"
    return None


def _the_run_wakes_up(run: Run, change: Change, process: Process) -> str | None:
    instance = change.instance
    kept = (run.seen | set(change.kept)) - set(change.consumed)
    needed = wake_at(instance, [message for message in run.inbox() if message.id in kept])
    if needed is not None and (change.wake_at is None or change.wake_at > needed):
        return f"it wakes at {change.wake_at}, and {needed} is needed"
    if not instance.is_finished:
        for key, step in instance.active.items():
            if step.state == "ready" and step.deadline is None:
                return f"the ready step {key!r} has no deadline"
        if not instance.active:
            return "an unfinished run has no active step"
    return None


def _leases_fit_the_steps(run: Run, change: Change, process: Process) -> str | None:
    for lease in change.granted:
        step = change.instance.active.get(lease.step)
        if step is None or step.state != "ready" or step.attempt != lease.attempt:
            return f"a lease of {lease.step!r}, attempt {lease.attempt}, is granted for nothing"
    return None


Rule = Callable[[Run, Change, Process], str | None]
_RULES: tuple[Rule, ...] = (
    _messages_leave_once,
    _the_revision_follows,
    _it_is_news,
    _the_end_is_final,
    _a_step_completes_once,
    _an_outcome_is_taken_once,
    _what_is_finished_stays,
    _attempts_have_reasons,
    _a_loss_has_a_cause,
    _failures_are_wanted,
    _events_come_in_order,
    _an_event_in_time_beats_the_timer,
    _a_step_is_handed_out_again_when_it_is_time,
    _a_cancel_ends_the_run,
    _the_run_wakes_up,
    _leases_fit_the_steps,
)
