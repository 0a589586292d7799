"""One statement for PostgreSQL, on a connection of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def execute(url: str, statement: str) -> None:
    """Run the statement outside of any transaction and of the caller's event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, _execute(url, statement)).result()


async def _execute(url: str, statement: str) -> None:
    import asyncpg  # late: a run without it need not wait for its import

    connection = await asyncpg.connect(url, timeout=10)
    try:
        # A test that left a transaction open is told so, rather than waited for.
        await connection.execute("SET lock_timeout = '10s'")
        await connection.execute(statement)
    finally:
        await connection.close(timeout=10)
