"""Brings the schema of a storage to a version, and tells which it is at."""

from collections.abc import Callable, Sequence
from shlex import join
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.errors import InvalidArgument, SchemaOutdated, StorageUnavailable
from hephaestus_postgres.failures import NAME, mapped
from hephaestus_postgres.migrations import MIGRATIONS, Migration
from hephaestus_postgres.migrations.found import Found, look, look_in_schema
from hephaestus_postgres.migrations.plan import Change, Plan
from hephaestus_postgres.tables import DEFAULT, Tables

_P = ParamSpec("_P")
_T = TypeVar("_T")

COMMAND = ("python", "-m", "hephaestus_postgres")


class Migrator:
    """The schema of some tables in one database.

    Every step is one transaction under an advisory lock, so that an interrupted one leaves
    nothing, and several migrators take turns. Every statement can be repeated.
    """

    def __init__(
        self, engine: AsyncEngine, tables: Tables, *, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        if len({table.schema for table in tables}) > 1:
            raise InvalidArgument(f"the tables belong into one schema, got {_places(tables)}")
        # What another migrator did has to be seen once it hands over, whatever the engine's level.
        self._engine = engine.execution_options(isolation_level="READ COMMITTED")
        self._tables = tables
        self._plan = Plan(tables, migrations)

    async def version(self) -> int:
        """Return the version that the schema is at, 0 where a table or its comment is missing.

        Raises:
            InvalidArgument: The table bears somebody else's comment.
            StorageUnavailable: The database cannot be asked.
        """
        return (await self._run(look, self._tables)).version

    async def check(self) -> None:
        """Make sure that the schema is the one that this code reads and writes.

        Raises:
            SchemaOutdated: It is older or newer.
            InvalidArgument: There is no such schema, or the comment is somebody else's.
            StorageUnavailable: The database cannot be asked.
        """
        found = await self._run(look_in_schema, self._tables)
        if found.recorded > self._plan.latest:
            raise self._too_new(found)
        if found.version < self._plan.latest:
            needed = self._plan.latest
            remedy = (
                "run `hephaestus migrate`, which finds the app by --app or HEPHAESTUS_APP, or "
                f"`{command('migrate', self._tables, '--url', 'URL')}`"
            )
            raise SchemaOutdated(NAME, found.version, needed, remedy)

    async def migrate(self, version: int | None = None) -> None:
        """Bring the schema to a version, up or down, and do nothing where it is there.

        Args:
            version: The version; None for the latest, unless the schema is past it. 0 drops the
                tables and all that they hold.

        Raises:
            InvalidArgument: There is no such version or no such schema, or the comment is
                somebody else's.
            SchemaOutdated: The schema is newer than this code, which cannot lead it back.
            StorageUnavailable: The database refuses, or cannot be asked.
        """
        if version is not None:
            self._plan.check(version)
        while await self._run(self._take, version):
            pass

    def script(self, start: int, target: int) -> str:
        """Return what leads from one version to another as plain SQL, to be run by hand.

        Raises:
            InvalidArgument: There is no such version.
        """
        return self._plan.script(start, target)

    async def _run(
        self,
        function: Callable[Concatenate[Connection, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        with mapped():
            async with self._engine.begin() as connection:
                return await connection.run_sync(function, *args, **kwargs)

    def _take(self, connection: Connection, target: int | None) -> bool:
        """Take the next step towards the target, if there is one left."""
        connection.exec_driver_sql(self._plan.lock)
        found = look_in_schema(connection, self._tables)
        change = self._next(found, target)
        if change is None:
            return False
        for statement in change.statements:
            connection.exec_driver_sql(statement)
        if change.is_up and not look(connection, self._tables).is_complete:
            raise StorageUnavailable(
                NAME,
                f"step {change.number} of the schema left a table missing: something else bears "
                f"one of the names {_places(self._tables)}",
            )
        return True

    def _next(self, found: Found, target: int | None) -> Change | None:
        if found.recorded > self._plan.latest:
            if target is None:
                return None
            raise self._too_new(found)
        wanted = self._plan.latest if target is None else target
        # Down from what the comment says, so that what is left of the tables goes too.
        start = found.recorded if wanted < found.recorded else found.version
        changes = self._plan.changes(start, wanted, found.schema)
        return changes[0] if changes else None

    def _too_new(self, found: Found) -> SchemaOutdated:
        remedy = (
            "upgrade the package hephaestus-postgres, or lead the schema back with the newer one: "
            f"`{command('migrate', self._tables, '--to', str(self._plan.latest))}`"
        )
        return SchemaOutdated(NAME, found.recorded, self._plan.latest, remedy)


def command(verb: str, tables: Tables, *more: str) -> str:
    """Return the command line that does something with these tables."""
    words = [*COMMAND, verb]
    if tables.instances.schema is not None:
        words += ["--schema", tables.instances.schema]
    for role, default in DEFAULT._asdict().items():
        name = getattr(tables, role).name
        if name != default:
            words += [f"--{role}", name]
    return join([*words, *more])


def _places(tables: Tables) -> str:
    return ", ".join(repr(table.fullname) for table in tables)
