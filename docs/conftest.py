"""What the examples of the pages find in their environment."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from servers import redis
from servers.sql import execute

collect_ignore = ["tutorial/parcels"]  # the reader's folder, whose tests run there


@pytest.fixture
def DATABASE_URL(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: N802  # the variable
    """Let the environment name a database; what a page leaves there is removed."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    yield postgres_url
    plain = postgres_url.replace("+asyncpg", "", 1)
    execute(plain, "DROP SCHEMA public CASCADE")
    execute(plain, "CREATE SCHEMA public")


@pytest.fixture
def REDIS_URL(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: N802  # likewise
    """Let the environment name a Redis; what a page leaves there is removed."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    yield redis_url
    for pattern in ("{shop}:*", "dramatiq:*"):
        redis.remove_keys(redis_url, pattern)


@pytest.fixture
def namespace() -> str:
    """Return a name that no other test uses."""
    return f"docs{uuid4().hex}"
