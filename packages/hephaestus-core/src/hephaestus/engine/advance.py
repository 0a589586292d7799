"""Moving an instance by what happened to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hephaestus.engine.closing import cancel, drop, is_cancelled
from hephaestus.engine.draft import Draft
from hephaestus.engine.effects import Advanced, ended_between
from hephaestus.errors import NotRetryable
from hephaestus.instance import Instance
from hephaestus.message import CancelRequested, EventPosted, LeaseEnded, Message, StepEnded
from hephaestus.workflow import Workflow


def advance(
    instance: Instance,
    workflow: type[Workflow],
    now: datetime,
    *,
    inbox: Sequence[Message] = (),
    happened: Sequence[StepEnded] = (),
    ended_leases: Sequence[LeaseEnded] = (),
    live_leases: Mapping[str, datetime] | None = None,
) -> Advanced:
    """Apply what happened, in this order: cancel, messages, ended leases, timers.

    Messages come before ended leases, so that an outcome that was posted counts although its
    lease ran out; and before timers, so that an event that was in time wins.

    Args:
        inbox: The run's messages, in the storage's order.
        happened: Outcomes that never were in the inbox.
        ended_leases: The leases that expired or were released.
        live_leases: The steps that somebody is executing, and until when.
    """
    if instance.status in ("completed", "cancelled"):
        return drop(instance, now, inbox=inbox)
    if inbox and is_cancelled(instance, inbox):
        return cancel(instance, now, inbox=inbox)
    draft = Draft(instance, workflow, now)
    if instance.status == "pending":
        draft.begin()
    queue = _Queue(draft, inbox)
    for ended in happened:
        draft.end_step(ended)
    queue.run()
    for lease in ended_leases:
        draft.lose(lease)
    while draft.fire_timer():
        queue.run()
    if live_leases:
        draft.respect(live_leases)
    return _advanced(draft, queue)


def retry(
    instance: Instance, workflow: type[Workflow], now: datetime, *, inbox: Sequence[Message] = ()
) -> Advanced:
    """Take a failed run up again; outcomes that came in since its failure are applied first.

    Raises:
        NotRetryable: The run is not failed.
    """
    if instance.status != "failed":
        raise NotRetryable(instance.id, instance.run_id, instance.status)
    draft = Draft(instance, workflow, now)
    queue = _Queue(draft, inbox)
    draft.take_up_again()
    queue.run(StepEnded)
    queue.run()
    while draft.fire_timer():
        queue.run()
    return _advanced(draft, queue)


class _Queue:
    """The messages that are still to be applied to a draft."""

    def __init__(self, draft: Draft, inbox: Sequence[Message]) -> None:
        self._draft = draft
        self.kept = list(inbox)
        self.consumed: list[str] = []

    def run(self, kind: type[StepEnded] | type[object] = object) -> None:
        """Apply all that can be applied, again while one makes room for an earlier one."""
        progress = bool(self.kept)
        while progress:
            progress = False
            waiting, self.kept = self.kept, []
            early: set[str] = set()
            for message in waiting:
                if isinstance(message.body, kind) and self._apply(message, early):
                    self.consumed.append(message.id)
                    progress = True
                else:
                    self.kept.append(message)

    def _apply(self, message: Message, early: set[str]) -> bool:
        """Apply one message, or keep it; `early` are the steps with an event kept before it."""
        later = message.not_before is not None and message.not_before > self._draft.now
        if later and not self._draft.completed:
            return False
        match message.body:
            case StepEnded() as ended:
                return self._draft.end_step(ended)
            case EventPosted() as event:
                # No event of a step overtakes an earlier one of that step.
                taken = event.step not in early and self._draft.take_event(event)
                if not taken:
                    early.add(event.step)
                return taken
            case CancelRequested():
                return True  # it came after a failure: its sender was told that the run had ended


def _advanced(draft: Draft, queue: _Queue) -> Advanced:
    instance = draft.finish(kept=len(queue.kept))
    return Advanced(
        instance=instance,
        entries=tuple(draft.ledger.entries),
        consumed=tuple(queue.consumed),
        kept=tuple(queue.kept),
        ended=ended_between(draft.before, instance),
        freed=tuple(draft.freed),
        ready=_ready(instance, draft.now),
        transitions=tuple(draft.transitions),
        waits=tuple(draft.waits),
        changed=draft.changed or bool(queue.consumed) or _has_news(draft, queue.kept),
    )


def _has_news(draft: Draft, kept: Sequence[Message]) -> bool:
    """Tell whether what is kept must be written: saying it again and again would never rest."""
    before, now = draft.before.updated_at, draft.now
    # A failed run does not count what it keeps: it takes it up when it is retried.
    counted = draft.before.is_finished or len(kept) == draft.before.kept
    return not counted or any(
        not message.seen
        or (
            (message.not_before is not None and before is not None)
            and before < message.not_before <= now
        )
        for message in kept
    )


def _ready(instance: Instance, now: datetime) -> tuple[str, ...]:
    """Return the steps that wait for nothing; one under a live lease has a later deadline."""
    ready = []
    for key, step in instance.active.items():
        if step.state == "ready" and (step.deadline is None or step.deadline <= now):
            ready.append(key)
    return tuple(ready)
