"""The contract of a storage, and the values that cross it."""

from hephaestus.storage.change import Change, Lease, Owner, Snapshot
from hephaestus.storage.containment import contains
from hephaestus.storage.contract import Storage, Transaction
from hephaestus.storage.filters import Filters, checked_pruning
from hephaestus.storage.importing import importable, recordable

__all__ = [
    "Change",
    "Filters",
    "Lease",
    "Owner",
    "Snapshot",
    "Storage",
    "Transaction",
    "checked_pruning",
    "contains",
    "importable",
    "recordable",
]
