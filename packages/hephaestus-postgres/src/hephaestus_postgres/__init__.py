"""PostgreSQL storage for Hephaestus workflows."""

from hephaestus_postgres.__about__ import __version__
from hephaestus_postgres.models import EntryMixin, InboxMixin, InstanceMixin
from hephaestus_postgres.storage import PostgresStorage
from hephaestus_postgres.tables import TableNames

__all__ = [
    "EntryMixin",
    "InboxMixin",
    "InstanceMixin",
    "PostgresStorage",
    "TableNames",
    "__version__",
]
