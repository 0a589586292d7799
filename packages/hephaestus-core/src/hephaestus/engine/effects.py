"""What comes of an advance: the next instance, and what the others must know."""

import msgspec

from hephaestus.instance import Entry, Instance
from hephaestus.message import Message, Source


class Transition(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A step ended and activated these others."""

    source: str
    event: str
    targets: tuple[str, ...]


class Waited(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A step's wait ended."""

    step: str
    event: str
    source: Source
    duration: float
    """Seconds."""


class Advanced(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The next instance and its effects; nothing of it holds until it is committed."""

    instance: Instance
    entries: tuple[Entry, ...] = ()
    consumed: tuple[str, ...] = ()
    """The ids of the messages that were applied or dropped."""

    kept: tuple[Message, ...] = ()
    """The messages that stay in the inbox."""

    ended: tuple[tuple[str, int], ...] = ()
    """The (step, attempt) pairs that nobody may execute any more."""

    freed: tuple[tuple[str, int], ...] = ()
    """The pairs that were given back, and are anyone's."""

    ready: tuple[str, ...] = ()
    """The steps that may be handed out now."""

    transitions: tuple[Transition, ...] = ()
    waits: tuple[Waited, ...] = ()
    changed: bool = True
    """False: nothing happened, and nothing needs to be written."""


def ended_between(before: Instance, after: Instance) -> tuple[tuple[str, int], ...]:
    """Return the attempts that were under way before and are not any more."""
    ended = []
    for key, step in before.active.items():
        later = after.active.get(key)
        goes_on = later is not None and later.state == "ready" and later.attempt == step.attempt
        if step.state == "ready" and not goes_on:
            ended.append((key, step.attempt))
    return tuple(ended)
