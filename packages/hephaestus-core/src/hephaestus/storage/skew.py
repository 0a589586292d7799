"""Comparing the clock of a storage's server with the system's: leases and timers hang on both."""

import logging
from datetime import datetime, timedelta

from hephaestus.errors import StorageUnavailable

_log = logging.getLogger("hephaestus.storage")
_WARN_BEYOND = timedelta(seconds=1)
_REFUSE_BEYOND = timedelta(seconds=5)


def check_clock(storage: str, theirs: datetime, before: datetime, after: datetime) -> None:
    """Compare what a server said of the time with the system's, before and after the question.

    Raises:
        StorageUnavailable: They are more than 5 s apart.
    """
    # The server looked at its clock somewhere between question and answer.
    apart = max(before - theirs, theirs - after, timedelta())
    if apart > _REFUSE_BEYOND:
        raise StorageUnavailable(
            storage,
            f"its clock and this system's are {apart.total_seconds():.1f} s apart; set both by NTP",
        )
    if apart > _WARN_BEYOND:
        _log.warning(
            "the clocks of %s and of this system are %.1f s apart", storage, apart.total_seconds()
        )
