"""Runs the examples of the README on a database of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

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


def as_a_program(namespace: dict[str, Any]) -> None:
    """Let the examples of one document be what they look like: one program."""
    namespace["__name__"] = "__main__"


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=as_a_program,
    fixtures=["database"],
    path=str(Path(__file__).parent),
).pytest()
