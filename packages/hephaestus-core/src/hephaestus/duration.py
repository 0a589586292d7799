"""Spans of time as callers write them: a timedelta, or a number of seconds."""

import math
from datetime import timedelta

from hephaestus.errors import InvalidArgument

Duration = timedelta | float | int
"""What every argument that is a span of time accepts; a number counts seconds."""

LONGEST = timedelta(days=365_000)
"""About a thousand years: any moment of today plus this is still a datetime."""


def parse(value: Duration, name: str) -> timedelta:
    """Return a span as a timedelta.

    Args:
        name: What the error calls the argument.

    Raises:
        InvalidArgument: The value is no span of time, negative, or longer than `LONGEST`.
    """
    span = value if isinstance(value, timedelta) else _seconds(value, name)
    if span < timedelta():
        raise InvalidArgument(f"{name} must not be negative, got {value!r}")
    if span > LONGEST:
        raise InvalidArgument(f"{name} must be at most {LONGEST.days} days, got {value!r}")
    return span


def positive(value: Duration, name: str) -> timedelta:
    """Return a span that is longer than nothing.

    Raises:
        InvalidArgument: It is not, or no span of time that `parse` takes.
    """
    span = parse(value, name)
    if not span:
        raise InvalidArgument(f"{name} is more than nothing")
    return span


def _seconds(value: object, name: str) -> timedelta:
    # A bool is an int to Python, and `timeout=True` is always a slip.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgument(f"{name} must be a timedelta or a number of seconds, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgument(f"{name} must be a finite number of seconds, got {value!r}")
    try:
        return timedelta(seconds=value)
    except OverflowError:
        raise InvalidArgument(
            f"{name} must be at most {LONGEST.days} days, got {value!r} seconds"
        ) from None
