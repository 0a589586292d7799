"""The clock of a storage's server is the system's, within a second or five."""

from datetime import UTC, datetime, timedelta

import pytest

from hephaestus.errors import StorageUnavailable
from hephaestus.storage import check_clock

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("apart", [0.0, 0.9, -0.9])
def test_clocks_that_agree_are_taken_without_a_word(
    apart: float, caplog: pytest.LogCaptureFixture
) -> None:
    check_clock("SomeStorage", NOON + apart * SECOND, NOON, NOON)

    assert caplog.text == ""


@pytest.mark.parametrize("apart", [2.5, -3.5])
def test_clocks_over_a_second_apart_get_a_warning(
    apart: float, caplog: pytest.LogCaptureFixture
) -> None:
    check_clock("SomeStorage", NOON + apart * SECOND, NOON, NOON)

    assert "apart" in caplog.text


@pytest.mark.parametrize("apart", [5.5, -6.5, 3600])
def test_clocks_over_five_seconds_apart_are_refused(apart: float) -> None:
    with pytest.raises(StorageUnavailable, match="apart"):
        check_clock("SomeStorage", NOON + apart * SECOND, NOON, NOON)


def test_a_slow_answer_is_no_difference_of_clocks(caplog: pytest.LogCaptureFixture) -> None:
    check_clock("SomeStorage", NOON + 30 * SECOND, NOON, NOON + 60 * SECOND)

    assert caplog.text == ""
