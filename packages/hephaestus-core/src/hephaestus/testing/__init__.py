"""What helps to test a workflow, and what proves an adapter.

The helpers need nothing else. The contracts' suites need pytest; each is imported when it is
first asked for, so that nobody loads the suites of contracts that they do not fulfil.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hephaestus.testing.capture import CapturedEvents, TelemetryEvent, capture_events
from hephaestus.testing.clock import VirtualClock
from hephaestus.testing.harness import Harness
from hephaestus.testing.stepwise import Attempt

if TYPE_CHECKING:
    from hephaestus.testing.runner import RunnerContract
    from hephaestus.testing.storage import StorageContract

__all__ = [
    "Attempt",
    "CapturedEvents",
    "Harness",
    "RunnerContract",
    "StorageContract",
    "TelemetryEvent",
    "VirtualClock",
    "capture_events",
]

_SUITES = {
    "RunnerContract": "hephaestus.testing.runner",
    "StorageContract": "hephaestus.testing.storage",
}

if (pytest := sys.modules.get("pytest")) is not None:
    # Before they are imported: an assertion that fails in a suite then shows both of its sides.
    pytest.register_assert_rewrite(*_SUITES.values())


def __getattr__(name: str) -> Any:
    if name not in _SUITES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        suite = import_module(_SUITES[name])
    except ModuleNotFoundError as missing:
        if missing.name != "pytest":
            raise
        raise ImportError(
            f'{name} needs pytest: pip install "hephaestus-core[testing]"'
        ) from missing
    return getattr(suite, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
