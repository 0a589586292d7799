"""What becomes of the steps that a commit has made ready: what a runner decides, and does."""

from datetime import datetime
from typing import Protocol

import msgspec

from hephaestus.instance import Instance
from hephaestus.storage import Lease


class Choice(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a run's ready steps; those in neither list stay ready for anyone."""

    leased: tuple[str, ...] = ()
    """Executed by this process at once."""

    sent: tuple[str, ...] = ()
    """Sent to a broker."""


class Placed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A committed change, and what this process has to do about it."""

    instance: Instance
    ready: tuple[str, ...]
    choice: Choice
    leases: tuple[Lease, ...] = ()
    wake_at: datetime | None = None


class Dispatcher(Protocol):
    """What a runner decides about ready steps."""

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:
        """Decide about the steps that became ready, before the commit."""
        ...

    def forget(self, choice: Choice) -> None:
        """Take a choice back: its commit failed."""
        ...

    def begin(self, placed: Placed) -> None:
        """Act on a choice that is committed: execute what is leased, send what is sent."""
        ...
