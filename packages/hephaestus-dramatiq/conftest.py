"""Runs the examples of the README, with a worker process beside them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import programs
from servers import redis

HERE = Path(__file__).parent
SOURCES = [str(path) for path in HERE.parent.glob("*/src")]


@pytest.fixture
def shop(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the README's first example where the others import it, and start its workers."""
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", redis_url)
        patch.syspath_prepend(tmp_path)
        readme = (HERE / "README.md").read_text("utf-8")
        first, *_ = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        (tmp_path / "shop.py").write_text(first, "utf-8")
        path = os.pathsep.join([str(tmp_path), *SOURCES])
        worker = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", "shop", "--processes", "1"],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait()
            sys.modules.pop("shop", None)
            for pattern in ("dramatiq*", "*hephaestus*"):
                redis.remove_keys(redis_url, pattern)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=programs.begin,
    teardown=programs.end,
    fixtures=["shop"],
    path=str(HERE),
).pytest()
