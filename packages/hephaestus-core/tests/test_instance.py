"""What an instance and its history say of themselves."""

from datetime import UTC, datetime

import pytest

from hephaestus.instance import Entry, StepError

NOW = datetime(2026, 7, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ERROR = StepError(step="charge", type="Declined", message="no\nmoney", attempt=2)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            Entry(
                id="1", run_id="r", step="charge", action="completed", event="charged", attempt=1,
                timestamp=NOW,
            ),
            "2026-07-01 12:00:00.250+00:00 charge completed charged",
        ),
        (
            Entry(
                id="2", run_id="r", step="charge", action="failed", attempt=2, error=ERROR,
                timestamp=NOW,
            ),
            "2026-07-01 12:00:00.250+00:00 charge failed (attempt 2): Declined: no money",
        ),
        (
            Entry(id="3", run_id="r", action="cancelled", timestamp=NOW),
            "2026-07-01 12:00:00.250+00:00 cancelled",
        ),
    ],
    ids=["completed", "failed", "cancelled"],
)  # fmt: skip
def test_an_entry_is_told_in_one_line(entry: Entry, line: str) -> None:
    assert line == str(entry)
