"""The numbered migrations as SQL for given tables; nothing is run."""

from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import NamedTuple

from sqlalchemy import make_url

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.migrations import MIGRATIONS, Migration
from hephaestus_postgres.models import comment
from hephaestus_postgres.tables import Tables, check_name

_quoted = make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer.quote


class Change(NamedTuple):
    """One numbered migration in one direction."""

    number: int
    """Of the migration."""

    version: int
    """What the schema is at afterwards."""

    statements: tuple[str, ...]
    """Those of the migration, then that of the comment; for one transaction."""

    @property
    def is_up(self) -> bool:
        """Whether the tables are there afterwards, whatever was before."""
        return self.version == self.number


class Plan:
    """How the schema of some tables gets from one version to another."""

    def __init__(self, tables: Tables, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self._tables = tables
        self._migrations = migrations

    @property
    def latest(self) -> int:
        """The highest version that the migrations lead to."""
        return len(self._migrations)

    @property
    def lock(self) -> str:
        """The statement with which those that change one schema take turns.

        Its lock ends with the transaction, so that it serves behind a pooler too.
        """
        table = self._tables.instances
        if table.schema is None:
            key = f"'hephaestus ' || current_schema() || {literal('.' + table.name)}"
        else:
            key = literal(f"hephaestus {table.schema}.{table.name}")
        return f"SELECT pg_advisory_xact_lock(hashtextextended({key}, 0))"

    def check(self, version: object) -> None:
        """Refuse anything that is not a version of the schema.

        Raises:
            InvalidArgument: It is not a version of the schema.
        """
        if type(version) is not int or not 0 <= version <= self.latest:
            raise InvalidArgument(
                f"a version of the schema is a whole number from 0 (no tables) to {self.latest} "
                f"(the latest of this release), got {version!r}"
            )

    def changes(self, start: int, target: int, schema: str | None = None) -> list[Change]:
        """Return what leads from one version to another, up or down.

        Args:
            start: The version found.
            target: The version wanted.
            schema: Where the tables are, if not where their metadata says.

        Raises:
            InvalidArgument: There is no such version, or the names of indexes cannot be made
                of that of a table.
        """
        self.check(start)
        self.check(target)
        words = self._words(schema)
        if start <= target:
            return [
                _change(migration.number, migration.number, migration.up, words)
                for migration in self._migrations[start:target]
            ]
        return [
            _change(migration.number, migration.number - 1, migration.down, words)
            for migration in reversed(self._migrations[target:start])
        ]

    def script(self, start: int, target: int) -> str:
        """Return the changes as plain SQL, a transaction for each migration.

        Raises:
            InvalidArgument: As for `changes`.
        """
        return "\n".join(map(self._transaction, self.changes(start, target)))

    def _transaction(self, change: Change) -> str:
        body = "".join(f"{statement};\n" for statement in (self.lock, *change.statements))
        return (
            f"-- hephaestus-postgres: migration {change.number}, to version {change.version}\n"
            f"BEGIN;\n{body}COMMIT;\n"
        )

    def _words(self, schema: str | None) -> dict[str, str]:
        schema = self._tables.instances.schema if schema is None else schema
        prefix = "" if schema is None else f"{_quoted(schema)}."
        words = {"schema": prefix}
        for role, table in self._tables._asdict().items():
            check_name(table.name)
            words[role] = f"{prefix}{_quoted(table.name)}"
            words[f"{role}_name"] = table.name
        return words


def literal(content: str) -> str:
    """Return the text as SQL writes it."""
    return "'" + content.replace("'", "''") + "'"


def _change(
    number: int, version: int, statements: tuple[str, ...], words: dict[str, str]
) -> Change:
    return Change(number, version, (*_filled(statements, words), *_noted(version, words)))


def _filled(statements: tuple[str, ...], words: dict[str, str]) -> Iterator[str]:
    return (cleandoc(statement.format_map(words)) for statement in statements)


def _noted(version: int, words: dict[str, str]) -> Iterator[str]:
    if version:  # at 0 there is no table left to bear a comment
        yield f"COMMENT ON TABLE {words['instances']} IS {literal(comment(version))}"
