"""What keeps a message from being carried out, in Dramatiq's terms."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dramatiq.errors import Retry

from hephaestus.errors import HephaestusError

FIRST_PAUSE = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=30)
MAX_RETRIES = 20
"""How often Dramatiq delivers a message again that met with an outage; then `due` takes over."""


class UnreadableMessage(HephaestusError):
    """A message for one of our actors does not say what it should; it becomes a dead letter."""

    def __init__(self, actor: str, fields: Mapping[str, Any], reason: str) -> None:
        super().__init__(actor, dict(fields), reason)
        self.actor = actor
        self.fields = dict(fields)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"a message for the actor {self.actor!r} is unreadable and becomes a dead letter: "
            f"{self.reason}; it says {self.fields!r}"
        )


class NotOpen(HephaestusError):
    """The worker's app is not open, or not open any more."""

    def __str__(self) -> str:
        return "the app of this worker is not open"


class Closing(HephaestusError):
    """The worker is closing and begins nothing more."""

    def __str__(self) -> str:
        return "this worker is closing; its messages go back to the broker"


def later(error: Exception, retries: int) -> Retry:
    """Return what makes Dramatiq deliver a message again, after a pause that doubles."""
    pause = min(FIRST_PAUSE * 2 ** min(retries, 10), LONGEST_PAUSE)
    return Retry(str(error), delay=milliseconds(pause))


def milliseconds(span: timedelta) -> int:
    """Return a span as Dramatiq counts it."""
    return int(span.total_seconds() * 1000)
