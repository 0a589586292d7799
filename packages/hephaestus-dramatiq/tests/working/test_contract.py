"""The whole contract of a runner, on every storage with every broker."""

from collections.abc import Iterator
from typing import ClassVar, Unpack, cast

import pytest

from hephaestus import MemoryStorage
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import Options
from working.brokers import BROKERS, Connect, new_queue
from working.runners import WorkingRunner


class SharedMemory(MemoryStorage):
    """A storage that all workers of a test reach: they are in one process."""

    durable: ClassVar[bool] = True


@pytest.mark.parametrize("broker", BROKERS)
class TestDramatiqRunner(RunnerContract):
    @pytest.fixture(autouse=True)
    def connect(self, broker: str, request: pytest.FixtureRequest) -> Iterator[None]:
        self.queue = new_queue()
        with BROKERS[broker](request) as self._connect:
            yield

    @pytest.fixture
    def storage(self) -> Storage:
        return SharedMemory()

    def make_runner(self, **options: Unpack[Options]) -> WorkingRunner:
        connect = cast("Connect", self._connect)
        return WorkingRunner(connect(), queue=self.queue, **options)

    def assert_idle(self, runner: Runner) -> None:
        assert isinstance(runner, WorkingRunner)
        runner.assert_idle()
