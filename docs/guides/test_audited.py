"""A storage that tells of each commit, and its proof."""

import logging
from typing import Any

import pytest

from hephaestus import MemoryStorage
from hephaestus.storage import Change
from hephaestus.testing import StorageContract


class AuditedStorage(MemoryStorage):
    async def commit(self, change: Change) -> None:
        await super().commit(change)
        instance = change.instance
        logging.getLogger("audit").info("%s is %s", instance.id, instance.status)


class TestAuditedStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Any:
        return AuditedStorage()
