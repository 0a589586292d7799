"""The pipe to those who started a measurement: they are told where it begins and ends."""

import json
import os
import sys
from typing import Any, Literal

Mark = Literal["begin", "end"]
_out = sys.stdout


def take_stdout() -> None:
    """Keep standard output for the figures; what others print goes to standard error."""
    global _out  # noqa: PLW0603 - a process has one
    _out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)


def mark(where: Mark, *, per: float = 1, of: str = "") -> None:
    """Say that the measured part begins or has ended, and wait for leave to go on.

    The others who share the work begin at the same time; statistics are read meanwhile.

    Args:
        where: Which of the two.
        per: Into how many the statistics are divided.
        of: What their headings begin with.
    """
    if _out is not sys.stdout:
        tell({"mark": where, "per": per, "of": of})
        sys.stdin.readline()


def tell(message: dict[str, Any]) -> None:
    """Send one message."""
    print(json.dumps(message), file=_out, flush=True)
