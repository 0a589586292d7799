"""What a statement is given: columns of values, or a few rows that are written out."""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

Row: TypeAlias = tuple[Any, ...]

_COLUMNS = re.compile(
    r"unnest\(\s*(\$\d+::\w+\[\](?:,\s*\$\d+::\w+\[\])*)\s*\)(\s+WITH ORDINALITY)?"
)
_COLUMN = re.compile(r"\$(\d+)::(\w+)\[\]")

_FEW = 4
"""How many rows are written out at most: each number of them is a statement to prepare."""


class Given:
    """A statement that finds all its values in tables: `unnest($1::text[], …) AS t(…)`.

    What one caller sends is written out instead, as `(VALUES ($1::text, …)) AS t(…)`: an array
    for each value would take the driver several times as long, and the server another plan.

    Args:
        sql: The statement, with columns.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._forms: dict[tuple[int | None, ...], str] = {}

    def filled(self, *tables: Sequence[Row], is_one: bool) -> list[Any]:
        """Return the statement and its values.

        Args:
            tables: The rows of each table, in the order of their parameters.
            is_one: Whether one caller sends them.
        """
        if is_one and sum(map(len, tables)) <= _FEW:
            values = [value for rows in tables for row in rows for value in row]
            return [self._form(tuple(map(len, tables))), *values]
        columns = [list(column) for rows in tables for column in zip(*rows, strict=True)]
        return [self._form((None,) * len(tables)), *columns]

    def _form(self, counts: tuple[int | None, ...]) -> str:
        form = self._forms.get(counts)
        if form is None:
            form = self._forms[counts] = _spelled(self._sql, counts)
        return form


def _spelled(sql: str, counts: tuple[int | None, ...]) -> str:
    """Return a statement with so many rows in each table; None stands for columns."""
    tables = sorted(_COLUMNS.finditer(sql), key=lambda found: int(_COLUMN.findall(found[1])[0][0]))
    spelled: dict[str, str] = {}
    first = 1
    for found, count in zip(tables, counts, strict=True):
        types = [name for _, name in _COLUMN.findall(found[1])]
        if count is None:
            spelled[found[0]] = _columns(types, first) + (found[2] or "")
        else:
            spelled[found[0]] = _rows(types, first, count, is_numbered=found[2] is not None)
        first += len(types) * (count or 1)
    return _COLUMNS.sub(lambda found: spelled[found[0]], sql)


def _columns(types: Sequence[str], first: int) -> str:
    return f"unnest({', '.join(f'${n}::{name}[]' for n, name in enumerate(types, first))})"


def _rows(types: Sequence[str], first: int, count: int, *, is_numbered: bool) -> str:
    rows = []
    for place in range(count):
        values = [f"${n}::{name}" for n, name in enumerate(types, first + place * len(types))]
        if is_numbered:
            values.append(f"{place + 1}::bigint")
        rows.append(f"({', '.join(values)})")
    return f"(VALUES {', '.join(rows)})"
