"""What is written to a storage and read from it as one."""

from datetime import datetime

import msgspec

from hephaestus.instance import Entry, Instance
from hephaestus.message import LeaseEnded, Message


class Owner(msgspec.Struct, frozen=True, gc=False):
    """A process that executes steps."""

    incarnation: str
    """Made anew at each start of the process."""

    name: str | None = None
    """Equal for all incarnations of one worker, so that the next takes over at once."""


class Lease(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The right to execute a step at an attempt, until a time."""

    run_id: str
    step: str
    attempt: int
    owner: Owner
    number: int = 0
    """Tells the leases of one owner apart: what arrives late for one must not meet another."""

    until: datetime
    released: bool = False
    """Given back in order: the attempt is anyone's."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What no two unreleased leases share."""
        return (self.run_id, self.step, self.attempt)


class Change(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """All that one commit writes, against revision `instance.revision - 1`."""

    instance: Instance
    """The run as it shall be."""

    token: str
    """Made anew for each change: tells a repeated commit from another one of its revision."""

    results: tuple[str, ...] = ()
    """The steps whose results are new; all others are stored already."""

    entries: tuple[Entry, ...] = ()
    consumed: tuple[str, ...] = ()
    """The messages that leave the inbox."""

    kept: tuple[str, ...] = ()
    """The messages that were seen and stay."""

    ended: tuple[tuple[str, int], ...] = ()
    """The (step, attempt) pairs whose leases end."""

    freed: tuple[tuple[str, int], ...] = ()
    """The pairs whose leases were given back; these go, unless somebody has claimed them since."""

    granted: tuple[Lease, ...] = ()
    """The leases of the steps that the writer executes itself."""

    wake_at: datetime | None = None
    """When `due` shall return the run, messages and leases apart."""


class Snapshot(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A run as it is at one moment."""

    instance: Instance
    inbox: tuple[Message, ...] = ()
    """In the order of arrival."""

    leases: tuple[Lease, ...] = ()

    def ended(self, now: datetime) -> tuple[LeaseEnded, ...]:
        """Return the leases that were released or have expired."""
        return tuple(
            LeaseEnded(step=lease.step, attempt=lease.attempt, released=lease.released)
            for lease in self.leases
            if lease.released or lease.until <= now
        )

    def live(self, now: datetime) -> dict[str, datetime]:
        """Return the steps that somebody is executing, and until when."""
        return {
            lease.step: lease.until
            for lease in self.leases
            if not lease.released and lease.until > now
        }
