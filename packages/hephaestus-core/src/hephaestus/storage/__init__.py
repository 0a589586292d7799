"""The contract of a storage, and the values that cross it."""

from hephaestus.storage.change import Change, Lease, Owner, Snapshot
from hephaestus.storage.containment import contains
from hephaestus.storage.contract import HasSchema, Storage, Transaction
from hephaestus.storage.filters import Filters, checked_pruning
from hephaestus.storage.importing import importable, recordable
from hephaestus.storage.skew import check_clock
from hephaestus.storage.transactionless import Transactionless

__all__ = [
    "Change",
    "Filters",
    "HasSchema",
    "Lease",
    "Owner",
    "Snapshot",
    "Storage",
    "Transaction",
    "Transactionless",
    "check_clock",
    "checked_pruning",
    "contains",
    "importable",
    "recordable",
]
