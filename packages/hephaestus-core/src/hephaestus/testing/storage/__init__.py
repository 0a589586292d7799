"""The contract of a storage as tests: one file a topic, one class to adopt."""

from hephaestus.testing.storage.contract import StorageContract

__all__ = ["StorageContract"]
