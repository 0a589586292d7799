"""Business keys such as `orderid::42`, where they are unique, and run ids."""

import random
import re
import reprlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from hephaestus import fork
from hephaestus.errors import InvalidArgument

Scope = Literal["workflow", "version", "global", "none"]
"""Where a business key is unique among the unfinished runs."""

_SCOPES = get_args(Scope)
_LONGEST_ID = 255
_HEX = "[0-9a-f]"
_KEY = re.compile(r"[a-z0-9]+")
_VALUE = re.compile(rf"[a-z0-9]+|{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}")
_ID = re.compile(rf"{_KEY.pattern}::(?:{_VALUE.pattern})(?:::{_HEX}{{8}})?")
_RUN_ID = re.compile(rf"{_HEX}{{8}}-{_HEX}{{4}}-7{_HEX}{{3}}-[89ab]{_HEX}{{3}}-{_HEX}{{12}}")


@dataclass(frozen=True, slots=True)
class Unique:
    """What identifies a run to the business, and where no two may run at once."""

    key: str
    """The first part of the id, as `orderid`: lower-case letters and digits."""

    scope: Scope = "workflow"
    """Unique per workflow, per version of it, among all workflows, or not at all."""

    def __post_init__(self) -> None:
        if not _fits(_KEY, self.key):
            raise InvalidArgument(
                f"a unique key must be lower-case letters and digits, as 'orderid', "
                f"got {self.key!r}"
            )
        if self.scope not in _SCOPES:
            raise InvalidArgument(f"scope must be one of {', '.join(_SCOPES)}, got {self.scope!r}")


def compose_id(unique: Unique, value: str) -> str:
    """Return the id of a run: `key::value`, and a random third part where nothing is unique.

    Raises:
        InvalidArgument: The value is neither lower-case letters and digits nor a UUID.
    """
    if not _fits(_VALUE, value):
        raise InvalidArgument(
            f"the value of {unique.key!r} must be lower-case letters and digits, or a UUID "
            f"in lower case, got {value!r}{_way_out(value)}"
        )
    suffix = f"::{secrets.token_hex(4)}" if unique.scope == "none" else ""
    return f"{unique.key}::{value}{suffix}"


def checked_id(instance_id: object) -> str:
    """Return the id of a run to be started, which need not be of the form `key::value`.

    Raises:
        InvalidArgument: It is no printable text of 1 to 255 characters, or it is a run id.
    """
    if not isinstance(instance_id, str) or not 0 < len(instance_id) <= _LONGEST_ID:
        raise InvalidArgument(
            f"an id is a text of 1 to {_LONGEST_ID} characters, as 'orderid::42', "
            f"got {reprlib.repr(instance_id)}"
        )
    # Wherever an id is accepted a run id is, too, so it must never name another run.
    if not instance_id.isprintable() or is_run_id(instance_id):
        raise InvalidArgument(
            f"an id is a printable text that is not itself a run id, got {instance_id!r}"
        )
    return instance_id


def business_value(instance_id: str) -> str:
    """Return the value in `key::value` or `key::value::suffix`.

    Raises:
        InvalidArgument: The id has another shape.
    """
    if not _fits(_ID, instance_id):
        raise InvalidArgument(f"{instance_id!r} is no id of the form 'key::value'")
    return instance_id.split("::")[1]


def unique_key(unique: Unique, instance_id: str, family: str, version: int) -> str | None:
    """Return what no other unfinished run may hold; None where nothing is unique.

    The word for the scope comes first and names hold no spaces, so keys of different scopes
    never meet.

    Args:
        family: The workflow's name; for a version, that of its umbrella.
    """
    match unique.scope:
        case "workflow":
            return f"workflow {family} {instance_id}"
        case "version":
            return f"version {family} {version} {instance_id}"
        case "global":
            return f"global {instance_id}"
        case "none":
            return None


def new_run_id() -> str:
    """Return a UUIDv7 that sorts after every earlier one of this process."""
    return _run_ids.next()


def is_run_id(text: str) -> bool:
    """Tell whether a text is a run id rather than a business id."""
    return _fits(_RUN_ID, text)


def _way_out(value: object) -> str:
    """Return what to give instead, where that is plain to see."""
    if isinstance(value, UUID) or type(value) is int:
        return f"; give it as text, {str(value)!r}"
    if _fits(_ID, value):
        return f"; give only what follows '::', {business_value(str(value))!r}"
    return ""


def _fits(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


class _RunIds:
    """UUIDv7 by RFC 9562, method 1: a 42-bit counter behind the time, then 32 random bits."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        # A forked child inherits the counter, and perhaps the lock, held for ever.
        self._lock = threading.Lock()
        self._millisecond = 0
        self._counter = 0
        # Ids are unique, not secret, and asking the system for each takes longer than the rest.
        self._random = random.Random(secrets.randbits(128))  # noqa: S311  # nothing secret

    def next(self) -> str:
        with self._lock:
            millisecond, counter = self._tick(time.time_ns() // 1_000_000)
            tail = self._random.getrandbits(32)
        high = millisecond << 16 | 0x7000 | counter >> 30
        low = 0b10 << 62 | (counter & 0x3FFF_FFFF) << 32 | tail
        text = f"{high << 64 | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _tick(self, now: int) -> tuple[int, int]:
        # A clock that was set back must not make ids that sort before earlier ones.
        if now > self._millisecond:
            self._millisecond, self._counter = now, self._random.getrandbits(41)
        elif self._counter < 2**42 - 1:
            self._counter += 1
        else:
            self._millisecond, self._counter = self._millisecond + 1, self._random.getrandbits(41)
        return self._millisecond, self._counter


_run_ids = _RunIds()
fork.in_child(_run_ids.restart)
