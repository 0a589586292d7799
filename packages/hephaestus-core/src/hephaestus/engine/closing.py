"""Ending a run from outside, and what still arrives after its end.

Neither needs the workflow's class, so a run can be cancelled by a process that does not know it.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from hephaestus.engine.effects import Advanced, ended_between
from hephaestus.engine.ledger import Ledger
from hephaestus.instance import Instance
from hephaestus.message import CancelRequested, EventPosted, Message, StepEnded


def is_cancelled(instance: Instance, inbox: Sequence[Message]) -> bool:
    """Return whether the inbox asks an unfinished run to stop."""
    return not instance.is_finished and any(isinstance(m.body, CancelRequested) for m in inbox)


def cancel(instance: Instance, now: datetime, *, inbox: Sequence[Message] = ()) -> Advanced:
    """Stop the run for good; what else lies in its inbox is dropped."""
    ledger = Ledger(instance, {}, now)
    ledger.add("cancelled")
    after = msgspec.structs.replace(
        instance,
        status="cancelled",
        active={},
        kept=0,
        updated_at=now,
        finished_at=now,
        revision=instance.revision + 1,
    )
    return _closed(instance, after, inbox, ledger)


def drop(instance: Instance, now: datetime, *, inbox: Sequence[Message]) -> Advanced:
    """Empty the inbox of a completed or cancelled run; nothing else changes."""
    after = msgspec.structs.replace(instance, revision=instance.revision + 1)
    return _closed(instance, after, inbox, Ledger(instance, {}, now))


def _closed(
    before: Instance, after: Instance, inbox: Sequence[Message], ledger: Ledger
) -> Advanced:
    for message in inbox:
        match message.body:
            case EventPosted(step=step, event=event, payload=payload):
                ledger.add("dropped", step, event=event, output=payload)
            case StepEnded() as ended:
                ledger.drop(ended)
            case CancelRequested():
                pass  # a second one asks for what is done
    return Advanced(
        instance=after,
        entries=tuple(ledger.entries),
        consumed=tuple(message.id for message in inbox),
        ended=ended_between(before, after),
        changed=bool(inbox) or before.status != after.status,
    )
