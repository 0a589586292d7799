"""Runs the examples of the documents, as they stand, as tests; offers servers to every test."""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import programs

pytest_plugins = ["servers.fixtures", "stacks.fixtures"]


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    # Their examples need servers, and have tests of their own.
    excludes=[
        "docs/*",
        "docs/*/*",
        *(f"packages/hephaestus-{name}/*" for name in ("dramatiq", "postgres", "redis")),
    ],
    setup=programs.begin,
    teardown=programs.end,
).pytest()
