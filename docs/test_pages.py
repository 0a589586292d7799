"""The Python blocks of a page run, in their order, as one program.

A page is one test: its later blocks build on the earlier ones, and a parallel run must not part
them. Where its blocks ask the environment for `DATABASE_URL` or `REDIS_URL`, a server is there.
What a page includes, as `{ .python }`, is a file that other tests run.
"""

from pathlib import Path

import pytest
from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import programs

HERE = Path(__file__).parent
SERVERS = ("DATABASE_URL", "REDIS_URL")
PAGES = sorted(page for page in HERE.rglob("*.md") if "```python" in page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HERE).as_posix())
def test_the_blocks_of_a_page_run(
    page: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in SERVERS:
        if f'"{variable}"' in page.read_text("utf-8"):
            request.getfixturevalue(variable)
    monkeypatch.chdir(tmp_path)

    document = parsed(page)
    document.namespace["__file__"] = str(page)
    programs.begin(document.namespace)
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        programs.end(document.namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HERE).as_posix())
def test_a_block_of_a_page_is_short(page: Path) -> None:
    """What is longer is a file of its own, which the page includes and other tests run."""
    blocks = [block.parsed for block in parsed(page).examples() if isinstance(block.parsed, str)]

    assert [] == [block for block in blocks if block.count("\n") > 60]


def parsed(page: Path) -> Document:
    return Sybil(parsers=[PythonCodeBlockParser(), SkipParser()]).parse(page)
