"""How often a step is tried, and how long it rests in between."""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Never, get_args

from hephaestus.duration import Duration, parse
from hephaestus.errors import InvalidArgument
from hephaestus.nearest import no_option

Backoff = Literal["exponential", "linear", "constant"]
"""How the delay grows: doubling, by one initial delay each time, or not at all."""

_BACKOFFS = get_args(Backoff)
_JITTER = 0.1
_MAX_DELAY = timedelta(seconds=60)
_MICROSECOND = timedelta(microseconds=1)
_ENOUGH_DOUBLINGS = 64
"""A microsecond doubled this often is longer than any delay allowed."""


@dataclass(frozen=True, slots=True, init=False)
class Retry:
    """The retry policy of a step, or of all steps of a workflow."""

    max_attempts: int
    """How often the step is tried at most, the first time included; 5."""

    initial_delay: timedelta
    """The pause after the first failed attempt; 1 s."""

    backoff: Backoff
    """How the pause grows from there; exponential."""

    max_delay: timedelta
    """The longest pause, before jitter; 60 s, or the initial delay if that is longer."""

    jitter: float
    """The fraction of the pause that is at most added to it; 0.1."""

    max_lost: int
    """How many attempts in a row may be lost to crashes before the step fails; 10."""

    def __init__(
        self,
        max_attempts: int = 5,
        initial_delay: Duration = 1,
        backoff: Backoff = "exponential",
        max_delay: Duration | None = None,
        jitter: float | bool = _JITTER,
        *,
        max_lost: int = 10,
        **unknown: Never,
    ) -> None:
        """Build a policy; spans are timedeltas or seconds, `jitter` a fraction or a switch."""
        for name in unknown:
            raise InvalidArgument(no_option("Retry", name, self.__slots__))
        first = parse(initial_delay, "initial_delay")
        longest = max(_MAX_DELAY, first) if max_delay is None else parse(max_delay, "max_delay")
        for name, value in (
            ("max_attempts", _count(max_attempts, "max_attempts")),
            ("initial_delay", first),
            ("backoff", _known_backoff(backoff)),
            ("max_delay", longest),
            ("jitter", _fraction(jitter)),
            ("max_lost", _count(max_lost, "max_lost")),
        ):
            object.__setattr__(self, name, value)

    def delay(self, attempt: int, seed: str) -> timedelta:
        """Return the pause after a failed attempt; equal seeds give equal jitter.

        Args:
            attempt: The number of the attempt that failed, from 1.
            seed: What the jitter is drawn from, as `run/step/attempt`.
        """
        first = self.initial_delay // _MICROSECOND
        if self.backoff == "exponential":
            pause = first << min(attempt - 1, _ENOUGH_DOUBLINGS)
        elif self.backoff == "linear":
            pause = first * attempt
        else:
            pause = first
        pause = min(pause, self.max_delay // _MICROSECOND)
        return timedelta(microseconds=pause + int(pause * self.jitter * _draw(seed)))


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"{name} must be an int of 1 or more, got {value!r}")
    return value


def _known_backoff(value: object) -> str:
    if value not in _BACKOFFS:
        raise InvalidArgument(f"backoff must be one of {', '.join(_BACKOFFS)}, got {value!r}")
    return str(value)


def _fraction(value: object) -> float:
    if isinstance(value, bool):
        return _JITTER if value else 0.0
    if not isinstance(value, int | float) or math.isnan(value) or not 0 <= value <= 1:
        raise InvalidArgument(f"jitter must be a fraction from 0 to 1, got {value!r}")
    return float(value)


def _draw(seed: str) -> float:
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


DEFAULT_RETRY = Retry()
"""The policy of a step that has none, in a workflow that has none."""
