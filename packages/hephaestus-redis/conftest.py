"""Runs the examples of the README on the server of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import programs


@pytest.fixture(scope="session")
def hotel(redis_url: str) -> Iterator[str]:
    """Return the URL of the server; what the examples leave there is removed."""
    yield redis_url
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter(match="{hotel}:*"):
            client.unlink(key)


@pytest.fixture
def server(hotel: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the environment name the server, as the examples expect."""
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", hotel)
        yield


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=programs.begin,
    teardown=programs.end,
    fixtures=["server"],
    path=str(Path(__file__).parent),
).pytest()
