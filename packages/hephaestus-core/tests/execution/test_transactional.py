"""The memory storage with transactions keeps the clauses about them, and so do runs on it."""

from typing import Unpack

import pytest

from execution.transactional import Session, TransactionalMemory
from hephaestus.local import LocalRunner
from hephaestus.testing.runner import transacting as running
from hephaestus.testing.runner.apps import Options
from hephaestus.testing.storage import step_transactions as storing


class TestTransactionalMemory(storing.StepTransactions):
    @pytest.fixture
    def storage(self) -> TransactionalMemory:
        return TransactionalMemory()


class TestTransactionalSteps(running.Transacting):
    @pytest.fixture
    def storage(self) -> TransactionalMemory:
        return TransactionalMemory()

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)

    @pytest.fixture
    def touch(self) -> running.Touch:
        async def touch(session: Session, key: str) -> None:
            session.touch(key)

        return touch

    @pytest.fixture
    def touched(self, storage: TransactionalMemory) -> running.Touched:
        async def touched(key: str) -> int:
            return storage.effects[key]

        return touched
