"""Lets each example import its modules as it does in its own folder; offers it servers."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.sql import execute

for folder in sorted(Path(__file__).parent.iterdir()):
    if folder.is_dir():
        sys.path.append(str(folder))


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """Return the URL of an empty database."""
    yield postgres_url
    plain = postgres_url.replace("+asyncpg", "", 1)
    execute(plain, "DROP SCHEMA public CASCADE")
    execute(plain, "CREATE SCHEMA public")
