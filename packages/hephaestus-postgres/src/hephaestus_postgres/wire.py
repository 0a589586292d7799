"""Connections of the driver's own, kept while they are in use."""

import asyncio
from typing import Any, TypeAlias

from asyncpg.exceptions import PostgresError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from hephaestus_postgres.failures import cause, is_conflict, is_connection, translated

Record: TypeAlias = Any
"""A row as the driver gives it: by place or by name."""

_IDLE = 1.0
"""Seconds after which an unused connection goes back to the pool."""

_TRIES = 3
"""A pool may hand out several connections that died with the server."""

_SETTINGS = {
    # A plan that is made while a table is small must do when it is large: every statement of
    # ours finds its rows by an index.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "timezone": "UTC",
    # A statement looks again at a row for which it waited.
    "default_transaction_isolation": "read committed",
}

_TAKE = """
    WITH had AS MATERIALIZED (
        SELECT name, current_setting(name) AS value, ours
        FROM unnest($1::text[], $2::text[]) AS s(name, ours)
    )
    SELECT name, value, set_config(name, ours, false) FROM had
"""
_RESTORE = """
    SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s(name, value)
"""


class Wire:
    """Sends one statement at a time, each a transaction of its own and prepared by the driver.

    It takes a connection from the engine's pool and keeps it as long as statements follow one
    another: a checkout for each would take three times as long as the statement. From a pool that
    has no more to give it keeps none. A connection goes back with the settings that it had: the
    application may have set some of its own on it.

    Args:
        patience: How long a statement waits for another transaction. What that holds up is
            sent alone afterwards, and holds up nobody else.
        asynchronous: Whether it is durable only a moment after the answer.
    """

    def __init__(
        self, engine: AsyncEngine, *, patience: str = "100ms", asynchronous: bool = False
    ) -> None:
        self._engine = engine
        settings = {**_SETTINGS, "lock_timeout": patience}
        if asynchronous:
            settings["synchronous_commit"] = "off"
        self._settings = settings
        self._had: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._used = 0.0
        self._going: asyncio.TimerHandle | None = None
        self._idling: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether another statement would wait."""
        return self._lock.locked()

    async def fetch(self, sql: str, *values: object) -> list[Record]:
        """Run a statement that may be repeated if its outcome is unknown; return its rows.

        A statement that a deadlock or a serialization failure has ended is repeated as well.

        Raises:
            StorageUnavailable: It could not be run, or nobody knows whether it was.
            PostgresError: The database refuses it or its values.
        """
        async with self._lock:
            try:
                return await self._fetch(sql, *values)
            finally:
                if self._is_needed_elsewhere():
                    await self._go_home()
                else:
                    self._rest()

    async def _fetch(self, sql: str, *values: object) -> list[Record]:
        for left in range(_TRIES - 1, -1, -1):
            try:
                driver = self._driver or await self._connect()
                return list(await driver.fetch(sql, *values))
            except Exception as error:
                if left and is_conflict(error):
                    continue
                lost = is_connection(error)
                if isinstance(error, PostgresError) and not lost:
                    raise
                await self._drop()
                if not (lost and left):
                    raise translated(error) from cause(error)
            except BaseException:
                await self._drop()
                raise
        raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        """Give the connection back at once."""
        if self._going is not None:
            self._going.cancel()
            self._going = None
        async with self._lock:
            await self._go_home()

    async def _connect(self) -> Any:
        while True:
            self._connection = await self._engine.connect()
            fairy = await self._connection.get_raw_connection()
            driver: Any = fairy.driver_connection
            if not driver.is_closed():
                break
            await self._drop()  # it died in the pool, as others may have
        try:
            found = await driver.fetch(_TAKE, list(self._settings), [*self._settings.values()])
        except PostgresError:
            await self._drop()
            raise
        self._had = {row["name"]: row["value"] for row in found}
        self._driver = driver
        return driver

    def _is_needed_elsewhere(self) -> bool:
        """Tell whether the pool has no other connection to give."""
        pool = self._engine.sync_engine.pool
        if not isinstance(pool, QueuePool):
            return False
        more = pool._max_overflow  # noqa: SLF001  # it has no public name
        return 0 <= more <= pool.checkedout() - pool.size()

    async def _drop(self) -> None:
        """Let go of a connection that is in doubt."""
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            try:
                await connection.invalidate()
            finally:
                await connection.close()

    async def _go_home(self) -> None:
        if self._connection is None:
            return
        try:
            await self._driver.fetch(_RESTORE, list(self._had), [*self._had.values()])
        except BaseException as error:
            await self._drop()  # whatever is wrong with it, nobody shall have it
            if not isinstance(error, Exception):
                raise
        else:
            connection, self._connection, self._driver = self._connection, None, None
            await connection.close()

    def _rest(self) -> None:
        """Note that something was sent; see from time to time whether that is long ago."""
        loop = asyncio.get_running_loop()
        self._used = loop.time()
        if self._driver is not None and self._going is None:
            self._going = loop.call_later(_IDLE, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._going = None
        left = self._used + _IDLE - loop.time()
        if left > 0 or self._lock.locked():
            self._going = loop.call_later(max(left, _IDLE / 10), self._look)
        else:
            self._idling = loop.create_task(self.close(), name="hephaestus-postgres-idle")


class Wires:
    """Sends each statement by the first wire that is free.

    What follows one another goes by one wire: a backend that has just worked, and whose process
    is still warm, answers sooner than one that has to be woken. What overlaps goes by several.

    Args:
        count: How many statements may be under way.
    """

    def __init__(self, engine: AsyncEngine, count: int) -> None:
        self._wires = [Wire(engine) for _ in range(count)]

    async def fetch(self, sql: str, *values: object) -> list[Record]:
        """Run a statement; see `Wire.fetch`."""
        for wire in self._wires:
            if not wire.is_busy:
                return await wire.fetch(sql, *values)
        return await self._wires[-1].fetch(sql, *values)

    async def close(self) -> None:
        """Give the connections back at once."""
        for wire in self._wires:
            await wire.close()
