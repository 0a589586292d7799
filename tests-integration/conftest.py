"""Every storage with every runner: what crosses packages is tried on each pair."""

from collections.abc import AsyncIterator, Callable

import pytest

from hephaestus import Hephaestus, LocalRunner, MemoryStorage

STACKS: dict[str, Callable[[], Hephaestus]] = {
    "memory-local": lambda: Hephaestus(MemoryStorage(), LocalRunner(poll=0.05)),
}
"""An adapter joins with a line, once it has something to join with."""


@pytest.fixture(params=STACKS)
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[Hephaestus]:
    """Give an open app on each pair of storage and runner."""
    async with STACKS[request.param]() as app:
        yield app
