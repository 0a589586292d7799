"""Checks of values, put together from the checks of their parts."""

import reprlib
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from hephaestus import data
from hephaestus.errors import InvalidArgument

Check: TypeAlias = Callable[[Any, str], object]
"""Takes a value and the name of its place; raises `InvalidArgument` for what cannot be there."""


def text(longest: int | None = None) -> Check:
    """Check for a text; one with a limit is not empty either."""
    return partial(data.check_text, longest=longest)


def whole(least: int, most: int) -> Check:
    """Check for a whole number."""

    def check(value: Any, where: str) -> None:
        # A bool is an int to Python, and here it is always a slip.
        if type(value) is not int or not least <= value <= most:
            _refuse(where, f"a whole number from {least} to {most}", value)

    return check


def one_of(words: tuple[str, ...]) -> Check:
    """Check for one of some words."""

    def check(value: Any, where: str) -> None:
        if value not in words:
            _refuse(where, f"one of {', '.join(words)}", value)

    return check


def moment(value: Any, where: str) -> None:
    """Check for an aware datetime."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        _refuse(where, "a datetime with a time zone", value)


def seconds(value: Any, where: str) -> None:
    """Check for a finite number of seconds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= sys.float_info.max:
        _refuse(where, "a finite number of seconds", value)


def user_data(value: Any, where: str) -> None:
    """Check for a mapping of data that can be stored."""
    if data.as_mapping(value) is None:
        _refuse(where, "a mapping", value)
    data.encode(value, where)


def optional(check: Check) -> Check:
    """Check what may be missing."""
    return lambda value, where: None if value is None else check(value, where)


def by_key(check: Check) -> Check:
    """Check the values of a mapping whose keys are texts."""

    def each(value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(where, "a mapping", value)
        for key, item in value.items():
            data.check_text(key, f"a key of {where}")
            check(item, f"{where}[{key!r}]")

    return each


def several(check: Check) -> Check:
    """Check the elements of a tuple."""

    def each(value: Any, where: str) -> None:
        if not isinstance(value, tuple):
            _refuse(where, "a tuple", value)
        for index, item in enumerate(value):
            check(item, f"{where}[{index}]")

    return each


def struct(kind: type, fields: Mapping[str, Check]) -> Check:
    """Check the fields of a value of ours; the outermost has no name of its own."""

    def each(value: Any, where: str) -> None:
        if not isinstance(value, kind):
            _refuse(where, f"of type {kind.__name__}", value)
        for name, check in fields.items():
            check(getattr(value, name), f"{where}.{name}" if where else name)

    return each


def _refuse(where: str, wanted: str, value: object) -> None:
    raise InvalidArgument(f"{where} must be {wanted}, not {reprlib.repr(value)}")
