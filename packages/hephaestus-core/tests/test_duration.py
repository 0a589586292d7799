"""Spans of time: what is one, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from hephaestus.duration import LONGEST, parse
from hephaestus.errors import InvalidArgument


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (timedelta(minutes=2), timedelta(minutes=2)),
        (3, timedelta(seconds=3)),
        (0.25, timedelta(milliseconds=250)),
        (0, timedelta()),
        (LONGEST, LONGEST),
    ],
)
def test_a_timedelta_and_a_number_of_seconds_are_spans(value: object, expected: timedelta) -> None:
    assert expected == parse(value, "delay")  # type: ignore[arg-type]  # typed by the cases


@pytest.mark.parametrize(
    "value",
    [
        -1,
        timedelta(seconds=-1),
        float("nan"),
        float("inf"),
        -float("inf"),
        True,
        "5",
        None,
        1e300,
        10**400,
        LONGEST + timedelta(days=1),
    ],
)
def test_anything_else_is_refused_and_the_argument_named(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^delay must "):
        parse(value, "delay")  # type: ignore[arg-type]  # wrong on purpose


def test_the_longest_span_from_now_is_still_a_datetime() -> None:
    assert datetime.now(UTC) + 2 * LONGEST > datetime.now(UTC)
