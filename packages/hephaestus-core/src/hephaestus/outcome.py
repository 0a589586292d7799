"""What an attempt of a step came to: Completed | Suspend | Halt | Failed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from hephaestus import duration
from hephaestus.duration import Duration

_LONGEST_TEXT = 10_000


class Completed(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="completed", tag_field="kind"
):
    """The step ended with one of its events."""

    event: str
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    """Merged into the instance's `runtime_metadata`; later writers win."""

    routes: dict[str, dict[str, Any] | None] | None = None
    """The targets that a `Choose` picked, with their config; None where none was asked."""


class Suspend(msgspec.Struct, frozen=True, gc=False, tag="suspended", tag_field="kind"):
    """Returned by a step to wait for an event from outside.

    With a timeout the event `timeout` arrives by itself after that time; the step then
    declares it.
    """

    timeout: Duration | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None:
            parsed = duration.parse(self.timeout, "Suspend(timeout=…)")
            msgspec.structs.force_setattr(self, "timeout", parsed)

    @property
    def length(self) -> timedelta | None:
        """The timeout as a timedelta."""
        return None if self.timeout is None else duration.parse(self.timeout, "timeout")


class Halt(msgspec.Struct, frozen=True, gc=False, tag="halted", tag_field="kind"):
    """Returned by a step to stop for an answer.

    The answer is an event of the step, sent with `resume`; its payload becomes the step's
    data. `resume_to` is the event taken where the answer names none, or the step's own
    key: then the answer runs the step again, with the payload as `ctx.answer`.
    """

    data: Mapping[str, Any] = {}
    """What the one who answers needs to know; shown as `halt_data`."""

    prompt: str | None = None
    """The question, for people."""

    resume_to: str | None = None


class Failed(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="failed", tag_field="kind"):
    """The attempt failed."""

    type: str
    """The name of the exception's class."""

    message: str
    fatal: bool = False
    """No further attempt is made."""


Outcome: TypeAlias = Completed | Suspend | Halt | Failed


def text_of(error: BaseException) -> str:
    """Return what an error says, as every storage can keep it: cut, and without odd characters."""
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001  # the class is not ours, and says nothing
        text = f"(its text could not be made: {type(broken).__name__})"
    # PostgreSQL's JSON has no NUL, and UTF-8 has no half of a surrogate pair.
    return text[:_LONGEST_TEXT].replace("\0", "?").encode(errors="replace").decode()
