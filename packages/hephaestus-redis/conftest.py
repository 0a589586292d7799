"""Runs the examples of the README on the server of the tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


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


def as_a_program(namespace: dict[str, Any]) -> None:
    """Let the examples of one document be what they look like: one program."""
    namespace["__name__"] = "__main__"


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=as_a_program,
    fixtures=["server"],
    path=str(Path(__file__).parent),
).pytest()
