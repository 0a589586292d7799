"""What is checked when a storage opens."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus import storage
from hephaestus_postgres.failures import NAME, mapped


async def check_clock(engine: AsyncEngine) -> None:
    """Compare the server's clock with the system's: leases and timers hang on both.

    Raises:
        StorageUnavailable: They are more than 5 s apart, or the server cannot be reached.
    """
    with mapped():
        async with engine.connect() as connection:
            before = datetime.now(UTC)
            theirs = await connection.scalar(text("SELECT clock_timestamp()"))
            after = datetime.now(UTC)
    storage.check_clock(NAME, theirs, before, after)
