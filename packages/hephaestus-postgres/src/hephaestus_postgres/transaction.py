"""The caller's transactions, and those of transactional steps."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from hephaestus.codec import Codec
from hephaestus.errors import InstanceNotFound, InvalidArgument, StaleInstance
from hephaestus.storage import Change, Snapshot
from hephaestus_postgres import rows
from hephaestus_postgres.failures import is_conflict, mapped
from hephaestus_postgres.parcel import changed_run, tables
from hephaestus_postgres.sql import Statements

_PATIENCE = "SET LOCAL lock_timeout = '10s'"
"""How long what is sent alone waits for another transaction."""


async def connection_of(session: object) -> AsyncConnection:
    """Return the connection of what a caller gave as `session=`.

    Raises:
        InvalidArgument: It is neither a session nor a connection of SQLAlchemy's asyncio.
        StorageUnavailable: The session gets no connection.
    """
    if isinstance(session, AsyncSession):
        with mapped(repeatable=True):
            return await session.connection()
    if isinstance(session, AsyncConnection):
        return session
    raise InvalidArgument(
        "session= takes an AsyncSession or an AsyncConnection of sqlalchemy.ext.asyncio, "
        f"not {type(session).__name__}"
    )


async def run(connection: AsyncConnection, sql: str, *values: object) -> Sequence[Any]:
    """Run a statement in the connection's transaction and return its rows, if it has any."""
    result = await connection.exec_driver_sql(sql, values)
    return result.mappings().all() if result.returns_rows else []


@asynccontextmanager
async def alone(engine: AsyncEngine, *but: type[Exception]) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that waits for others; `but` as in `mapped`."""
    with mapped(*but):
        async with engine.begin() as connection:
            await connection.exec_driver_sql(_PATIENCE)
            yield connection


class StepTransaction:
    """The transaction of one execution of a transactional step; see `Transaction`."""

    def __init__(
        self, connection: AsyncConnection, run_id: str, statements: Statements, codec: Codec
    ) -> None:
        self._connection = connection
        self._run_id = run_id
        self._statements = statements
        self._codec = codec
        # What the step commits or rolls back is a savepoint: the transaction is ours.
        self.session = AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )

    def conflicts(self, error: BaseException) -> bool:
        """Tell whether it is a serialization failure or a deadlock."""
        return is_conflict(error)

    async def flush(self) -> None:
        """Send what the session holds back, and check the constraints that would wait for COMMIT.

        There it would be too late to be the step's own failure.
        """
        await self.session.commit()
        await self._connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

    async def load(self) -> Snapshot:
        """Lock the run, and return it as it is now."""
        with mapped(repeatable=True):
            locked = await run(self._connection, self._statements.lock, self._run_id)
            if not locked:
                raise InstanceNotFound(self._run_id)
            filled = self._statements.read([(self._run_id, True, False)])
            (row,) = await run(self._connection, *filled)
        return rows.snapshot_of(row, self._codec)

    async def commit(self, change: Change) -> None:
        """Write the change, and commit."""
        parcel = changed_run(change, self._codec)
        filled = self._statements.commit(*tables([parcel]), locking="wait")
        with mapped(repeatable=True):
            written = await run(self._connection, *filled)
            if not written:
                raise StaleInstance(self._run_id, change.instance.revision - 1)
            await self.session.close()
            await self._connection.commit()


@asynccontextmanager
async def step_transaction(
    engine: AsyncEngine, run_id: str, statements: Statements, codec: Codec
) -> AsyncIterator[StepTransaction]:
    """Open a transaction that is rolled back unless it was committed."""
    with mapped(repeatable=True):
        connection = await engine.connect()
        try:
            fairy = await connection.get_raw_connection()
            if getattr(fairy.dbapi_connection, "autocommit", False):  # the application's default
                connection = await connection.execution_options(isolation_level="READ COMMITTED")
            _ = await connection.begin().start()
        except BaseException:
            await connection.close()
            raise
    transaction = StepTransaction(connection, run_id, statements, codec)
    try:
        yield transaction
    finally:
        # A connection that is given back is rolled back; one that is lost needs no more.
        try:
            with suppress(SQLAlchemyError):
                await transaction.session.close()
        finally:
            await connection.close()
