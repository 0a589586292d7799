"""What happens to a run: the messages of its inbox, and leases that end."""

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from hephaestus.outcome import Outcome


class EventPosted(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="event", tag_field="kind"
):
    """An event from outside, bound to one step when it was posted."""

    step: str
    event: str
    payload: dict[str, Any] = {}


class StepEnded(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="outcome", tag_field="kind"
):
    """What one attempt of a step came to."""

    step: str
    attempt: int
    outcome: Outcome
    duration: float
    """Seconds that the body took."""


class CancelRequested(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="cancel", tag_field="kind"
):
    """The run shall stop."""


class LeaseEnded(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A lease that no longer protects its attempt; read from the storage, never posted."""

    step: str
    attempt: int
    released: bool
    """Given back in order, so the attempt stands; else it expired, and the attempt is lost."""


Body: TypeAlias = EventPosted | StepEnded | CancelRequested


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of a run's inbox."""

    id: str
    """Made by the sender, so that posting twice is posting once."""

    run_id: str
    body: Body
    not_before: datetime | None = None
    """The time before which the message is not applied."""

    dedup_key: str
    """A second message of one key in one run is dropped; the id where the sender gave none."""

    sequence: int = 0
    """The storage's order of arrival."""

    seen: bool = False
    """Set by the storage: a commit has named the message as kept."""


Source: TypeAlias = Literal["external", "timeout"]
"""Where the event that ended a wait came from."""
