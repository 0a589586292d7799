"""The command `python -m hephaestus_postgres`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hephaestus_postgres.command import main
from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.migrator import Migrator, command
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import tables_in
from migrations.later import LATER


class Answer(NamedTuple):
    status: int
    out: str
    err: str


Shell = Callable[..., Answer]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a function that does what the command does, in this process."""
    monkeypatch.delenv("HEPHAESTUS_POSTGRES_URL", raising=False)

    def run(*words: str) -> Answer:
        try:
            status = main(words)
        except SystemExit as end:
            status = int(end.code or 0)
        return Answer(status, *capsys.readouterr())

    return run


def test_migrate_leads_to_the_latest_version_and_says_so(
    shell: Shell, postgres_url: str, postgres_schema: str
) -> None:
    where = ("--url", postgres_url, "--schema", postgres_schema)

    answers = [shell("migrate", *where), shell("migrate", *where)]

    assert [Answer(0, f"the schema is at version {VERSION}\n", "")] * 2 == answers
    assert Answer(0, f"{VERSION}\n", "") == shell("version", *where)


def test_migrate_to_0_drops_all(shell: Shell, postgres_url: str, postgres_schema: str) -> None:
    where = ("--url", postgres_url, "--schema", postgres_schema)
    shell("migrate", *where)

    answer = shell("migrate", *where, "--to", "0")

    assert Answer(0, "the schema is at version 0\n", "") == answer
    assert Answer(0, "0\n", "") == shell("version", *where)


def test_the_url_may_come_from_the_environment(
    shell: Shell, postgres_url: str, postgres_schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEPHAESTUS_POSTGRES_URL", postgres_url)

    answer = shell("version", "--schema", postgres_schema)

    assert Answer(0, "0\n", "") == answer


def test_the_url_needs_no_name_of_a_driver(
    shell: Shell, postgres_url: str, postgres_schema: str
) -> None:
    url = postgres_url.replace("+asyncpg", "")

    assert 0 == shell("version", "--url", url, "--schema", postgres_schema).status


def test_the_tables_may_bear_other_names(
    shell: Shell, postgres_url: str, postgres_schema: str
) -> None:
    names = ("--instances", "runs", "--entries", "lines", "--inbox", "letters")

    answer = shell("migrate", "--url", postgres_url, "--schema", postgres_schema, *names)

    engine = create_async_engine(postgres_url, poolclass=NullPool)
    assert 0 == answer.status
    assert {"runs", "lines", "letters"} == asyncio.run(tables_in(engine, postgres_schema))


def test_the_command_that_an_error_names_mends_it(
    shell: Shell, postgres_url: str, postgres_schema: str
) -> None:
    tables = Tables.named(TableNames("runs", "lines", "letters"), postgres_schema)
    words = command("migrate", tables).split()

    answer = shell(*words[3:], "--url", postgres_url)

    engine = create_async_engine(postgres_url, poolclass=NullPool)
    asyncio.run(Migrator(engine, tables).check())
    assert 0 == answer.status


def test_sql_is_written_without_a_database(shell: Shell) -> None:
    tables = Tables.named(TableNames(inbox="letters"), "shop")

    up = shell("sql", "--schema", "shop", "--inbox", "letters")
    down = shell("sql", "--schema", "shop", "--inbox", "letters", "--from", "1", "--to", "0")

    assert Answer(0, Plan(tables).script(0, VERSION), "") == up
    assert Answer(0, Plan(tables).script(1, 0), "") == down


def test_help_names_every_verb_and_option(shell: Shell) -> None:
    general, verb = shell("--help"), shell("migrate", "--help")

    assert [0, 0] == [general.status, verb.status]
    assert all(word in general.out for word in ("migrate", "version", "sql", "revision"))
    assert all(word in verb.out for word in ("--url", "--schema", "--instances", "--to"))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("migrat",),
        ("migrate", "--to", "latest"),
        ("migrate", "now"),
        ("migrate", "--sch", "shop"),
        ("version", "--to", "1"),
    ],
)
def test_what_it_does_not_understand_is_one_line_and_status_2(
    shell: Shell, words: tuple[str, ...]
) -> None:
    answer = shell(*words)

    assert (2, "") == answer[:2]
    assert answer.err.startswith("error: ")
    assert 1 == answer.err.count("\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("migrate",), "which database? Set HEPHAESTUS_POSTGRES_URL"),
        (("migrate", "--url", "shop"), "the address of the database is a URL"),
        (("migrate", "--url", "sqlite:///shop"), "the address of the database is a URL"),
        (("migrate", "--url", "postgresql://127.0.0.1:1/shop"), "PostgresStorage"),
        (("sql", "--to", "99"), "a version of the schema is a whole number from 0"),
        (("sql", "--schema", "Shop"), "lower-case letters"),
        (("sql", "--inbox", "workflow_entries"), "a name of its own"),
    ],
)
def test_what_fails_is_one_line_and_status_1(
    shell: Shell, words: tuple[str, ...], sentence: str
) -> None:
    answer = shell(*words)

    assert (1, "") == answer[:2]
    assert answer.err.startswith("error: ")
    assert sentence in answer.err
    assert 1 == answer.err.count("\n")


async def test_a_schema_that_is_too_new_is_one_line_and_status_1(
    engine: AsyncEngine, postgres_url: str, postgres_schema: str, tables: Tables
) -> None:
    await Migrator(engine, tables, migrations=LATER).migrate()

    answer = await asyncio.to_thread(
        in_a_process, "migrate", "--to", "0", "--schema", postgres_schema, url=postgres_url
    )

    assert (1, "") == answer[:2]
    assert "upgrade the package hephaestus-postgres" in answer.err
    assert 1 == answer.err.count("\n")


@pytest.mark.parametrize(
    "words",
    [
        ("migrate", "--url", "postgresql://shop:s3cret@127.0.0.1:1/shop"),
        ("migrate", "--url", "postgresql://shop:s3cret@127.0.0.1:port/shop"),
        ("migrate", "--url", "postgresql://shop:pass@s3cret@127.0.0.1/shop"),
        ("migrate", "--url", "postgresql://shop:pass/s3cret:1@127.0.0.1:1/shop"),
        ("migrate", "--url", "mysql://shop:s3cret@127.0.0.1/shop"),
        ("migrate", "--url", "postgresql://127.0.0.1:1/shop?password=s3cret"),
        ("migrate", "postgresql://shop:s3cret@127.0.0.1/shop"),
        ("migrate", "postgresql://127.0.0.1/shop?user=shop&password=s3cret"),
        ("postgresql://shop:s3cret@127.0.0.1/shop", "migrate"),
        ("migrate", "--to", "postgresql://shop:my s3cret@127.0.0.1/shop"),
        ("sql", "--schema", "postgresql://shop:s3cret@127.0.0.1/shop"),
    ],
)
def test_a_password_is_never_printed(shell: Shell, words: tuple[str, ...]) -> None:
    answer = shell(*words)

    assert answer.status in (1, 2)
    assert "s3cret" not in answer.out + answer.err


def test_a_wrong_password_is_told_and_not_printed(shell: Shell, postgres_url: str) -> None:
    url = make_url(postgres_url).set(username="nobody_here", password="s3cret")

    answer = shell("version", "--url", url.render_as_string(hide_password=False))

    assert 1 == answer.status
    assert "s3cret" not in answer.out + answer.err
    assert "nobody_here" in answer.err


def test_as_a_process_it_ends_with_the_status_and_without_a_traceback() -> None:
    good = in_a_process("sql")
    bad = in_a_process("version", url="postgresql://127.0.0.1:1/shop")
    ugly = in_a_process("versions")

    assert Answer(0, Plan(Tables.named()).script(0, VERSION), "") == good
    assert [(1, 1), (2, 1)] == [(each.status, each.err.count("\n")) for each in (bad, ugly)]
    assert "Traceback" not in bad.err + ugly.err


def in_a_process(*words: str, url: str = "") -> Answer:
    ended = subprocess.run(
        [sys.executable, "-m", "hephaestus_postgres", *words],
        env={**os.environ, "HEPHAESTUS_POSTGRES_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)
