"""Giving ready steps to those who execute them, and when to look at a run again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from hephaestus.instance import TERMINAL, Instance
from hephaestus.message import Message

_FIRST_DISPATCH = timedelta(seconds=30)
_LONGEST_DISPATCH = timedelta(minutes=10)
_NET = timedelta(minutes=2)


def hand_out(instance: Instance, until: Mapping[str, datetime]) -> Instance:
    """Note that steps were handed out, and until when nobody else need look at them."""
    if not until:
        return instance
    active = dict(instance.active)
    for key, deadline in until.items():
        step = active[key]
        active[key] = msgspec.structs.replace(
            step, deadline=deadline, dispatches=step.dispatches + 1
        )
    return msgspec.structs.replace(instance, active=active)


def dispatch_until(dispatches: int, now: datetime) -> datetime:
    """Return the deadline of a step sent to a broker for the nth time, from 0.

    It doubles from 30 s to 10 min, so that a backlog does not multiply its messages.
    """
    pause: timedelta = min(_FIRST_DISPATCH * 2 ** min(dispatches, 10), _LONGEST_DISPATCH)
    return now + pause


def leased_until(end: datetime) -> datetime:
    """Return the deadline of a step whose lease ends at a time.

    A storage sees by itself that a lease has ended, and the deadline is the net beneath that. It
    lies one to two minutes behind, on a full one, so that a run's time to wake stays the same
    while its steps go by, and an index of these times need not be written at each of them.
    """
    return end.replace(second=0, microsecond=0) + _NET


def wake_at(instance: Instance, kept: Iterable[Message]) -> datetime | None:
    """Return when the run must be looked at again, or None if only the outside can move it."""
    if instance.status in TERMINAL:
        return None
    times = [step.deadline for step in instance.active.values() if step.deadline is not None]
    seen_at = instance.updated_at
    for message in kept:
        at = message.not_before
        # One that was kept although its time had come waits for its step, as any early event.
        if at is not None and (seen_at is None or at > seen_at):
            times.append(at)
    return min(times, default=None)
