"""Which workflow a name on the command line means."""

import click

from hephaestus import registry
from hephaestus.nearest import nearest


def known_names() -> list[str]:
    """Return the names of the workflows that the app's module defines."""
    return sorted({name for name, _ in registry.known()})


def fitting(name: str, known: list[str]) -> list[str]:
    """Return the known names that a name means: itself, or else those that end with it."""
    return [each for each in known if each == name] or [
        each for each in known if each.endswith(f".{name}")
    ]


def warn_if_unknown(name: str) -> None:
    """Say on standard error that the app has no workflow of a name, and which is meant."""
    known = known_names()
    if name not in known:
        meant = _nearest(name, known)
        hint = f"; did you mean {meant!r}?" if meant else ""
        click.echo(f"hint: no workflow {name!r} is defined here{hint}", err=True)


def _nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that is most like a name, or whose last part is."""
    last = {each.rpartition(".")[2]: each for each in known}
    return last.get(name) or nearest(name, known) or last.get(nearest(name, last) or "")
