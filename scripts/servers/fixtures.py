"""The servers as fixtures, which start when the first test asks for them.

Each worker of a parallel run starts its own: that takes half a second, asks for no agreement
between processes, and no test can disturb those of another worker.
"""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from servers import postgres, rabbitmq, redis
from servers.server import Server
from servers.source import Given, Installed, Missing
from servers.sql import execute


def pytest_report_header() -> list[str]:
    """Name the servers that the tests would use; nothing is started."""
    found = (postgres.find(), redis.find(), rabbitmq.find())
    return [f"servers: {', '.join(map(str, found))}"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install what can be, where a test asks for it, before the time of any test runs."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if "own_rabbitmq_server" in wanted:
        rabbitmq.install()
    elif "rabbitmq_server" in wanted:
        rabbitmq.provide()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Return a PostgreSQL for all tests; leave it running."""
    with postgres.server_from(_present(postgres.find())) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """Return the URL of a database of these tests, as SQLAlchemy writes it."""
    database = f"test_{uuid4().hex}"
    execute(postgres_server.url, f"CREATE DATABASE {database}")
    url = urlsplit(postgres_server.url)
    yield urlunsplit(url._replace(scheme="postgresql+asyncpg", path=f"/{database}"))
    execute(postgres_server.url, f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """Return the name of an empty schema in the database of `postgres_url`."""
    url = postgres_url.replace("+asyncpg", "", 1)
    schema = f"test_{uuid4().hex}"
    execute(url, f"CREATE SCHEMA {schema}")
    yield schema
    execute(url, f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def own_postgres_server() -> Iterator[Server]:
    """Return a PostgreSQL for this test alone, which may stop, kill and restart it."""
    with postgres.server_from(_present(postgres.find_installed())) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """Return a Redis for all tests; leave it running."""
    with redis.server_from(_present(redis.find())) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(redis_server: Server) -> str:
    """Return the URL of the Redis for all tests."""
    return redis_server.url


@pytest.fixture
def redis_namespace(redis_url: str) -> Iterator[str]:
    """Return a text that no key contains yet; those that contain it afterwards are removed."""
    namespace = f"test-{uuid4().hex}"
    yield namespace
    redis.remove_keys(redis_url, f"*{namespace}*")


@pytest.fixture
def own_redis_server() -> Iterator[Server]:
    """Return a Redis for this test alone, which may stop, kill and restart it."""
    with redis.server_from(_present(redis.find_installed())) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Server]:
    """Return a RabbitMQ for all tests; leave it running."""
    with rabbitmq.server_from(_present(rabbitmq.provide())) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_server: Server) -> str:
    """Return the URL of the RabbitMQ for all tests."""
    return rabbitmq_server.url


@pytest.fixture
def own_rabbitmq_server() -> Iterator[Server]:
    """Return a RabbitMQ for this test alone, which may stop, kill and restart it."""
    with rabbitmq.server_from(_present(rabbitmq.install())) as server:
        yield server


def _present(source: Given | Installed | Missing) -> Given | Installed:
    """Return what was found; without it a laptop skips the test, and CI fails it."""
    if isinstance(source, Missing):
        if os.environ.get("CI"):
            pytest.fail(str(source))
        pytest.skip(str(source))
    return source
