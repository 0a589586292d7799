"""What went wrong, in one line, and where in the user's code."""

import sysconfig
import traceback
from pathlib import Path

import click
import msgspec

from hephaestus.errors import DefinitionError, HephaestusError

_OURS = (Path(__file__).parents[1], *(Path(str(m.__file__)).parent for m in (click, msgspec)))
_PYTHON = Path(sysconfig.get_path("stdlib"))
_INSTALLED = {"site-packages", "dist-packages"}


def described(error: BaseException) -> str:
    """Return what an error says; with its type and place unless it is the library's own."""
    if isinstance(error, HephaestusError) and not isinstance(error, DefinitionError):
        return str(error)
    kind = "" if isinstance(error, HephaestusError) else f"{type(error).__name__}: "
    where = place(error)
    return f"{kind}{error}{f' ({where})' if where else ''}"


def place(error: BaseException) -> str | None:
    """Return file and line of the last code on the way that is neither ours nor Python's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith("<") and _is_theirs(Path(frame.filename)):
            return f"{frame.filename}:{frame.lineno}"
    return None


def _is_theirs(file: Path) -> bool:
    if any(folder in file.parents for folder in _OURS):
        return False
    # What is installed may lie below the folder of Python's own modules.
    return _INSTALLED & set(file.parts) != set() or _PYTHON not in file.parents
