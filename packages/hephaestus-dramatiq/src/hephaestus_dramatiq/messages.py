"""What the three kinds of messages say: which run they are about, and what is to be done."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from hephaestus_dramatiq.failures import UnreadableMessage


class About(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The run that a message is about; all of it shows where Dramatiq prints the message."""

    actor: ClassVar[str]

    instance_id: str
    run_id: str
    workflow: str
    version: int


class ExecuteStep(About, frozen=True, kw_only=True, gc=False):
    """Execute a step, if it still stands at that attempt and nobody else executes it."""

    actor: ClassVar[str] = "execute_step"

    step: str
    attempt: int


class Advance(About, frozen=True, kw_only=True, gc=False):
    """Look at the run: something of it may be due."""

    actor: ClassVar[str] = "advance"


class Resume(About, frozen=True, kw_only=True, gc=False):
    """Let the run take an event that lies in its inbox."""

    actor: ClassVar[str] = "resume"

    step: str
    event: str


M = TypeVar("M", bound=About)


def read(kind: type[M], args: Sequence[object], fields: Mapping[str, Any]) -> M:
    """Return what a message says; fields of a later version are passed over.

    Raises:
        UnreadableMessage: A field is missing, or is not of its type.
    """
    if args:
        raise UnreadableMessage(kind.actor, fields, "it has positional arguments")
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise UnreadableMessage(kind.actor, fields, str(error)) from error
