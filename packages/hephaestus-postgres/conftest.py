"""Runs the examples of the README on a database of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import programs
from servers.sql import execute


@pytest.fixture
def database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the environment name the database, as the examples expect."""
    with monkeypatch.context() as patch:
        patch.setenv("DATABASE_URL", postgres_url)
        yield
    # What an example creates is not to be there for the next test.
    plain = postgres_url.replace("+asyncpg", "", 1)
    execute(plain, "DROP SCHEMA public CASCADE")
    execute(plain, "CREATE SCHEMA public")


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=programs.begin,
    teardown=programs.end,
    fixtures=["database"],
    path=str(Path(__file__).parent),
).pytest()
