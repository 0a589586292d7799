"""One numbered change of the schema."""

from typing import NamedTuple


class Migration(NamedTuple):
    """Statements that can be repeated; `{instances}`, `{entries}` and `{inbox}` are the tables.

    `{instances_name}` and so on are their names without the schema, of which those of the
    indexes are made; `{schema}` is the schema with a dot, or nothing.
    """

    number: int
    up: tuple[str, ...]
    down: tuple[str, ...]
