"""What is checked when a storage opens."""

import logging
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.errors import StorageUnavailable
from hephaestus_postgres.failures import NAME, mapped

_log = logging.getLogger("hephaestus.storage")
_WARN = 1.0
_REFUSE = 5.0


async def check_clock(engine: AsyncEngine) -> None:
    """Compare the server's clock with the system's: leases and timers hang on both.

    Raises:
        StorageUnavailable: They are more than 5 s apart, or the server cannot be reached.
    """
    with mapped():
        async with engine.connect() as connection:
            asked = time.time()
            told = await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            answered = time.time()
    # The server looked at its clock somewhere between question and answer.
    apart = max(asked - float(told), float(told) - answered, 0.0)
    if apart > _REFUSE:
        raise StorageUnavailable(
            NAME, f"its clock and this system's are {apart:.1f} s apart; set both by NTP"
        )
    if apart > _WARN:
        _log.warning("the clocks of PostgreSQL and this system are %.1f s apart", apart)
