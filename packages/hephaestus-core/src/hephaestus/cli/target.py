"""Finding what a command is about: the module that defines workflows, and the app."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from hephaestus.app import Hephaestus
from hephaestus.cli.place import described

VARIABLE = "HEPHAESTUS_APP"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def takes_app(command: _Command) -> _Command:
    """Let a command say which app it means, unless that was said before the command."""
    return click.option(
        "--app",
        metavar="MODULE:ATTRIBUTE",
        help=f"A Hephaestus, or a function that returns one.  [default: ${VARIABLE}]",
        callback=lambda context, _, value: value or context.obj,
    )(command)


def takes_app_first(group: _Command) -> _Command:
    """Let the app be named before the command as well, or by the variable."""

    def keep(context: click.Context, _: click.Parameter, value: str | None) -> None:
        context.obj = value

    return click.option(
        "--app",
        envvar=VARIABLE,
        metavar="MODULE:ATTRIBUTE",
        help="The app; each command takes it as well.",
        callback=keep,
        expose_value=False,
    )(group)


def find_app(target: str | None) -> Hephaestus:
    """Return the app that `module:attribute` names; a function is called for it."""
    if target is None:
        raise click.UsageError(f"which app? Give --app module:attribute, or set {VARIABLE}")
    name, _, attribute = target.partition(":")
    if not name or not attribute:
        raise click.UsageError(f"an app is named as module:attribute, not {target!r}")
    found: Any = import_module(name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"{name!r} has no attribute {attribute!r}")
        found = getattr(found, part)
    if not isinstance(found, Hephaestus) and callable(found):
        found = found()
    if not isinstance(found, Hephaestus):
        raise click.UsageError(f"{target!r} is no Hephaestus but {type(found).__name__}")
    return found


def import_module(name: str) -> ModuleType:
    """Import a module of the user's, which may lie in the current folder.

    What it raises ends the command with one line that says where.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is not None and f"{name}.".startswith(f"{missing.name}."):
            raise click.UsageError(f"there is no module {name!r}") from missing
        raise click.ClickException(_cannot(name, missing)) from missing
    except Exception as error:
        raise click.ClickException(_cannot(name, error)) from error


def _cannot(name: str, error: Exception) -> str:
    return f"{name!r} cannot be imported: {described(error)}"
