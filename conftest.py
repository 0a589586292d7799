"""Runs the examples of the documents, as they stand, as tests; offers servers to every test."""

from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_plugins = ["servers.fixtures"]


def as_a_program(namespace: dict[str, Any]) -> None:
    """Let the examples of one document be what they look like: one program."""
    namespace["__name__"] = "__main__"


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    # Their examples need servers, and have tests of their own.
    excludes=[
        "docs/*",
        "docs/*/*",
        *(f"packages/hephaestus-{name}/*" for name in ("dramatiq", "postgres", "redis")),
    ],
    setup=as_a_program,
).pytest()
