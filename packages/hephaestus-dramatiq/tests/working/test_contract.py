"""The whole contract of a runner, on every storage with every broker."""

from typing import Unpack

import pytest

from working.runners import WorkingRunner
from working.shared_stub import StubServer
from hephaestus import MemoryStorage
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import Options


class TestOnMemoryAndStub(RunnerContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        self.server = StubServer()
        return MemoryStorage()

    def make_runner(self, **options: Unpack[Options]) -> WorkingRunner:
        return WorkingRunner(self.server.connect(), queue="steps", **options)
