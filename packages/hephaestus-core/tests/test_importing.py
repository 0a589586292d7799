"""What `put` and `record` refuse, in words."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.instance import ActiveStep, Entry, Instance
from hephaestus.storage import importable, recordable

NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAIVE = datetime(2026, 7, 1)  # noqa: DTZ001  # it is refused
RUN = Instance(id="orderid::1", workflow="shop.Orders", created_at=NOW)
ENTRY = Entry(id="1", run_id="run", action="completed", timestamp=NOW)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tags": ["a"]}, r"tags must be a tuple, not \['a'\]"),
        ({"tags": ("a", 1)}, r"tags\[1\] must be a text, not 1"),
        ({"kept": True}, "kept must be a whole number from 0 to 9223372036854775806, not True"),
        (
            {"workflow_version": 2**31},
            "workflow_version must be a whole number from 1 to 2147483647, not 2147483648",
        ),
        ({"updated_at": NAIVE}, "updated_at must be a datetime with a time zone, not .*"),
        ({"active": {"a": 1}}, r"active\['a'\] must be of type ActiveStep, not 1"),
        ({"active": [1]}, r"active must be a mapping, not \[1\]"),
        (
            {"stopped": {"a": ActiveStep(since=NOW, state="lost")}},  # type: ignore[arg-type]
            r"stopped\['a'\]\.state must be one of ready, waiting, halted, not 'lost'",
        ),
        (
            {"runtime_metadata": {"a": {"b": float("inf")}}},
            r"runtime_metadata\['a'\]\['b'\] cannot be stored: inf is not a finite number",
        ),
        (
            {"execution_history": (ENTRY, msgspec.structs.replace(ENTRY, duration=float("nan")))},
            r"execution_history\[1\]\.duration must be a finite number of seconds, not nan",
        ),
    ],
)
def test_a_run_that_cannot_be_kept_is_told_where_and_why(
    wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}$"):
        importable(msgspec.structs.replace(RUN, **wrong))


def test_what_is_no_run_and_no_entry_is_shown() -> None:
    with pytest.raises(InvalidArgument, match=r"^put takes an Instance, not 'orderid::1'$"):
        importable("orderid::1")
    with pytest.raises(InvalidArgument, match=r"^record takes an Entry, not None$"):
        recordable(None)


@pytest.mark.parametrize("seconds", [0, 2, 0.5, None])
def test_seconds_may_be_whole_or_missing(seconds: float | None) -> None:
    timed = msgspec.structs.replace(ENTRY, duration=seconds)

    assert timed is recordable(timed)
