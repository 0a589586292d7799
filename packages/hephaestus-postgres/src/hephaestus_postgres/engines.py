"""The connections of a storage: the caller's engine, or one of its own."""

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.url import database_url

_DRIVER = "postgresql+asyncpg"


class Engines:
    """An engine for the storage, and one for the transactions of steps.

    These are held while user code runs, so that they have a pool of their own: however many
    steps hold a connection, the storage can still write.
    """

    def __init__(self, given: "str | URL | AsyncEngine") -> None:
        self._is_ours = not isinstance(given, AsyncEngine)
        if isinstance(given, AsyncEngine):
            self.main = given
            if given.dialect.driver != "asyncpg":
                raise InvalidArgument(
                    f"the engine works with {given.dialect.driver}; make it of a URL that begins "
                    f"with {_DRIVER}://"
                )
        else:
            self.main = create_async_engine(
                database_url(given), pool_pre_ping=True, hide_parameters=True
            )
        # The same connections. What waited for a row looks at it again, whatever the level is
        # that the application has chosen for itself.
        self.committed = self.main.execution_options(isolation_level="READ COMMITTED")
        self._steps: AsyncEngine | None = None

    @property
    def steps(self) -> AsyncEngine:
        """The engine whose connections transactional steps hold."""
        if self._steps is None:
            main = self.main.sync_engine
            engine = Engine(
                main.pool.recreate(), main.dialect, main.url,
                hide_parameters=main.hide_parameters,
                execution_options=main.get_execution_options(),
            )  # fmt: skip
            self._steps = AsyncEngine(engine)
        return self._steps

    async def dispose(self) -> None:
        """Close the connections that are ours."""
        if self._steps is not None:
            await self._steps.dispose()
        if self._is_ours:
            await self.main.dispose()
