import pytest

from hephaestus import LocalRunner, MemoryStorage
from hephaestus.testing.runner import RunnerContract


class TestLocalRunner(RunnerContract):
    @pytest.fixture
    def storage(self): return MemoryStorage()
    def make_runner(self, **o): return LocalRunner(**o)
