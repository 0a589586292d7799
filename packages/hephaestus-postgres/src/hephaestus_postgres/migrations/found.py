"""What a database holds of the tables, read from its catalogue: no right on them is needed."""

import re
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.types import ARRAY, Text

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.models import comment
from hephaestus_postgres.tables import Tables

_COMMENT = re.compile(r"hephaestus schema ([0-9]{1,9})")

# Without a schema of its own, a table is where a statement would find it, or would create it.
_PLACE = text(
    """
    SELECT coalesce(
        (
            SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = :name AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
        ),
        current_schema()
    )
    """
).bindparams(bindparam("name", type_=Text))

_TABLES = text(
    """
    SELECT c.relname, obj_description(c.oid, 'pg_class')
    FROM pg_namespace n
    LEFT JOIN pg_class c
        ON c.relnamespace = n.oid AND c.relname = ANY (:names) AND c.relkind IN ('r', 'p')
    WHERE n.nspname = :schema
    """
).bindparams(bindparam("schema", type_=Text), bindparam("names", type_=ARRAY(Text)))


class Found(NamedTuple):
    """What there is of the tables."""

    schema: str | None
    """Where they are, or would be created; None where there is no such schema."""

    recorded: int
    """What the comment says, 0 without one."""

    is_complete: bool
    """Whether none of the tables is missing."""

    @property
    def version(self) -> int:
        """The version of the schema: none with a table missing, whatever the comment says."""
        return self.recorded if self.is_complete else 0


def look(connection: Connection, tables: Tables) -> Found:
    """Return what the database holds of the tables.

    Raises:
        InvalidArgument: The table of the instances bears somebody else's comment.
    """
    name = tables.instances.name
    schema = tables.instances.schema or connection.scalar(_PLACE, {"name": name})
    names = {table.name for table in tables}
    rows = connection.execute(_TABLES, {"schema": schema, "names": sorted(names)}).all()
    if not rows:
        return Found(None, 0, is_complete=False)
    comments = {row[0]: row[1] for row in rows}
    return Found(schema, _recorded(name, comments.get(name)), is_complete=names <= comments.keys())


def look_in_schema(connection: Connection, tables: Tables) -> Found:
    """Return what the database holds of the tables, where there is a place for them.

    Raises:
        InvalidArgument: There is no such schema, or as for `look`.
    """
    found = look(connection, tables)
    if found.schema is None:
        schema = tables.instances.schema
        which = "on the search path" if schema is None else repr(schema)
        raise InvalidArgument(
            f"the database has no schema {which}; create it first, as it is never created here"
        )
    return found


def _recorded(name: str, said: str | None) -> int:
    if said is None:
        return 0
    if match := _COMMENT.fullmatch(said):
        return int(match[1])
    raise InvalidArgument(
        f"the comment of table {name!r} is {said!r} and none of ours, as {comment(1)!r} would be: "
        f"name other tables if this one is not of Hephaestus, else give it its comment back"
    )
