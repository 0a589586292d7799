"""The command `python -m hephaestus_postgres`: the schema from a shell."""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus.errors import HephaestusError, InvalidArgument
from hephaestus_postgres import revision
from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import DEFAULT, TableNames, Tables
from hephaestus_postgres.url import database_url, without_secrets

_VARIABLE = "HEPHAESTUS_POSTGRES_URL"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status.

    It is 0 where all went well, 1 where something failed, and argparse ends with 2 where it does
    not understand.
    """
    given = _parser().parse_args(argv)
    verb: Callable[[Namespace], str] = given.verb
    try:
        answer = verb(given)
    except HephaestusError as error:
        sys.stderr.write(f"error: {_one_line(str(error))}\n")
        return 1
    sys.stdout.write(answer)
    return 0


def migrate(given: Namespace) -> str:
    """Bring the schema to a version, and say which it is at."""

    async def work(migrator: Migrator) -> str:
        await migrator.migrate(given.to)
        return f"the schema is at version {await migrator.version()}\n"

    return _with_migrator(given, work)


def version(given: Namespace) -> str:
    """Return the version that the schema is at."""

    async def work(migrator: Migrator) -> str:
        return f"{await migrator.version()}\n"

    return _with_migrator(given, work)


def sql(given: Namespace) -> str:
    """Return plain SQL for somebody who runs it by hand; no database is asked."""
    return Plan(_tables(given)).script(given.start, VERSION if given.to is None else given.to)


def write_revision(given: Namespace) -> str:
    """Write a revision into the Alembic project of this folder, and return its path."""
    path = revision.write(
        _names(given),
        given.schema,
        version=VERSION if given.to is None else given.to,
        config=given.config,
        folder=given.folder,
        head=given.head,
    )
    return f"{path}\n"


def _with_migrator(given: Namespace, work: Callable[[Migrator], Awaitable[str]]) -> str:
    async def run() -> str:
        engine = create_async_engine(_url(given), poolclass=NullPool)
        try:
            return await work(Migrator(engine, tables))
        finally:
            await engine.dispose()

    tables = _tables(given)
    return asyncio.run(run())


def _url(given: Namespace) -> URL:
    content = given.url or os.environ.get(_VARIABLE)
    if not content:
        raise InvalidArgument(f"which database? Set {_VARIABLE}, or give --url")
    return database_url(content)


def _tables(given: Namespace) -> Tables:
    return Tables.named(_names(given), given.schema)


def _names(given: Namespace) -> TableNames:
    return TableNames(given.instances, given.entries, given.inbox)


class _Parser(ArgumentParser):
    """One whose complaints are one line, and repeat no password."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {_one_line(message)}; see {self.prog} --help\n")


def _one_line(message: str) -> str:
    return " ".join(without_secrets(message).split())


def _parser() -> ArgumentParser:
    prog = "python -m hephaestus_postgres"
    parser = _Parser(
        prog=prog, description="The tables of hephaestus-postgres.", allow_abbrev=False
    )
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    up_or_down = "the version to lead to, 0 for no tables; default: the latest"
    for name, function in _VERBS.items():
        verb = verbs.add_parser(name, help=function.__doc__, allow_abbrev=False)
        verb.set_defaults(verb=function)
        _add_tables(verb)
        if function is not version:
            verb.add_argument("--to", type=int, metavar="N", help=up_or_down)
        if function in (migrate, version):
            verb.add_argument("--url", help=f"the database; default: ${_VARIABLE}")
        if function is sql:
            _add_start(verb)
        if function is write_revision:
            _add_alembic(verb)
    return parser


def _add_tables(verb: ArgumentParser) -> None:
    verb.add_argument("--schema", help="where the tables are; default: the search path says")
    for role, default in DEFAULT._asdict().items():
        verb.add_argument(f"--{role}", default=default, metavar="NAME", help=f"default: {default}")


def _add_start(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--from",
        dest="start",
        type=int,
        default=0,
        metavar="N",
        help="the version found; default: 0",
    )


def _add_alembic(verb: ArgumentParser) -> None:
    verb.add_argument("--config", metavar="FILE", help="default: alembic.ini, as for Alembic")
    verb.add_argument("--folder", help="the folder of versions, where there are several")
    verb.add_argument("--head", default="head", help="the revision to follow, where several might")


_VERBS: dict[str, Callable[[Namespace], str]] = {
    "migrate": migrate,
    "version": version,
    "sql": sql,
    "revision": write_revision,
}
