"""Fixtures for the tests of workflows: an app that runs, its storage, and its clock.

pytest finds them by entry point. Each can be overridden in a conftest, as any fixture can.
"""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hephaestus import Hephaestus
    from hephaestus.clock import Clock
    from hephaestus.storage import Storage
    from hephaestus.testing import VirtualClock


@pytest.fixture
def hephaestus_clock() -> "VirtualClock":
    """A clock that stands still until the test moves it: `await hephaestus_clock.advance(60)`.

    Override it with a `SystemClock()` for tests in real time.
    """
    from hephaestus.testing import VirtualClock

    return VirtualClock()


@pytest.fixture
def hephaestus_storage() -> "Storage":
    """An empty storage in memory; override it to test on the one that you deploy."""
    from hephaestus import MemoryStorage

    return MemoryStorage()


if find_spec("pytest_asyncio"):
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def hephaestus_app(
        hephaestus_storage: "Storage", hephaestus_clock: "Clock"
    ) -> "AsyncIterator[Hephaestus]":
        """A running app on `hephaestus_storage` and `hephaestus_clock`; workflows find it."""
        from hephaestus import Hephaestus

        async with Hephaestus(hephaestus_storage, clock=hephaestus_clock) as app:
            yield app

else:

    @pytest.fixture
    def hephaestus_app() -> None:
        """A running app; it needs pytest-asyncio, which is not installed."""
        raise pytest.UsageError(
            'hephaestus_app needs pytest-asyncio: pip install "hephaestus-core[testing]"'
        )
