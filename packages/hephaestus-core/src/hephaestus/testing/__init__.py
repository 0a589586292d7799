"""What proves an adapter, and what helps to test a workflow.

Each name is imported when it is first asked for, so that nobody loads the suites of contracts that
they do not fulfil.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    import pytest
except ImportError as missing:
    raise ImportError(
        'hephaestus.testing needs pytest: pip install "hephaestus-core[testing]"'
    ) from missing

if TYPE_CHECKING:
    from hephaestus.testing.storage import StorageContract

__all__ = ["StorageContract"]

_HOMES = {
    "StorageContract": "hephaestus.testing.storage",
}

# Before they are imported: an assertion that fails in a suite then shows both of its sides.
pytest.register_assert_rewrite("hephaestus.testing.storage")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
