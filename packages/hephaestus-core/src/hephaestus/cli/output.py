"""What a command prints: text for people, or with `--json` one document for programs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec

_Command = TypeVar("_Command", bound=Callable[..., Any])


def takes_json(command: _Command) -> _Command:
    """Let a command print JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def put(document: object, text: str | Iterable[str], *, as_json: bool) -> None:
    """Print the document as JSON, times in ISO 8601; or else the lines of text."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return
    for line in [text] if isinstance(text, str) else text:
        click.echo(line)


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return lines with columns as wide as their content."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
