"""The tables that a storage works on: by name, or those of an application's own models."""

import re
from typing import Any, NamedTuple

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.models import EntryMixin, InboxMixin, InstanceMixin

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
_LONGEST = 40
"""PostgreSQL cuts names after 63 bytes, and those of the indexes are longer by up to 16."""


class TableNames(NamedTuple):
    """What the tables are called."""

    instances: str = "workflow_instances"
    entries: str = "workflow_entries"
    inbox: str = "workflow_inbox"


DEFAULT = TableNames()


class Tables(NamedTuple):
    """The tables of one storage."""

    instances: Table
    entries: Table
    inbox: Table

    @classmethod
    def named(cls, names: TableNames = DEFAULT, schema: str | None = None) -> "Tables":
        """Return the tables of these names, with metadata of their own.

        Raises:
            InvalidArgument: A name is no lower-case identifier, or used twice.
        """
        for name in (*names, *([] if schema is None else [schema])):
            check_name(name)
        if len(set(names)) < len(names):
            raise InvalidArgument(f"each table needs a name of its own, got {names!r}")

        class Base(DeclarativeBase):
            metadata = MetaData(schema=schema)

        return cls.of(
            type("Instance", (InstanceMixin, Base), {"__tablename__": names.instances}),
            type("Entry", (EntryMixin, Base), {"__tablename__": names.entries}),
            type("Inbox", (InboxMixin, Base), {"__tablename__": names.inbox}),
        )

    @classmethod
    def of(cls, instances: type[Any], entries: type[Any], inbox: type[Any]) -> "Tables":
        """Return the tables of an application's own models.

        Raises:
            InvalidArgument: A model lacks its mixin.
        """
        given = ((instances, InstanceMixin), (entries, EntryMixin), (inbox, InboxMixin))
        for model, mixin in given:
            if not (isinstance(model, type) and issubclass(model, mixin)):
                raise InvalidArgument(f"{model!r} is no model with {mixin.__name__}")
        return cls(*(model.__table__ for model, _ in given))

    @property
    def metadata(self) -> MetaData:
        """What the tables belong to."""
        return self.instances.metadata


def check_name(name: object) -> None:
    """Refuse what cannot be the name of a table and the beginning of those of its indexes.

    Raises:
        InvalidArgument: It cannot.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or len(name) > _LONGEST:
        raise InvalidArgument(
            "the name of a table or schema is made of lower-case letters, digits and underscores, "
            f"begins with no digit and has at most {_LONGEST} characters; got {name!r}"
        )
