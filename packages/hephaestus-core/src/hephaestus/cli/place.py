"""What went wrong, in one line, and where in the user's code."""

import traceback
from importlib.util import find_spec
from pathlib import Path

from hephaestus.errors import DefinitionError, HephaestusError

_OWN = Path(__file__).parents[1]


def described(error: BaseException) -> str:
    """Return what an error says; with its type and place where it is none of ours."""
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
    return _OWN not in file.parents and not _PYTHON & set(file.parents)


_PYTHON = frozenset(
    Path(spec.origin).parent
    for spec in map(find_spec, ("asyncio", "click", "importlib", "msgspec", "traceback"))
    if spec is not None and spec.origin is not None
)
