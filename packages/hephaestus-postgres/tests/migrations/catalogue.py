"""What a schema of a database consists of, as its catalogue says, to compare it with another."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, l.collname, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = to_regnamespace(:schema) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
_INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = to_regnamespace(:schema)
    ORDER BY 1
"""
_CONSTRAINTS = """
    SELECT c.relname, n.conname, pg_get_constraintdef(n.oid)
    FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
    WHERE c.relnamespace = to_regnamespace(:schema)
    ORDER BY 1, 2
"""
_COMMENTS = """
    SELECT c.relname, obj_description(c.oid, 'pg_class')
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind = 'r'
    ORDER BY 1
"""
_OPTIONS = """
    SELECT c.relname, array_to_string(c.reloptions, ' ')
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'i')
    ORDER BY 1
"""

Catalogue = dict[str, list[tuple[object, ...]]]


async def catalogue(engine: AsyncEngine, schema: str) -> Catalogue:
    """Return what makes up the tables, without the name of the schema."""
    parts = {
        "columns": _COLUMNS,
        "indexes": _INDEXES,
        "constraints": _CONSTRAINTS,
        "comments": _COMMENTS,
        "options": _OPTIONS,
    }
    async with engine.connect() as connection:
        return {
            part: [
                tuple(_without(schema, value) for value in row)
                for row in await connection.execute(text(statement), {"schema": schema})
            ]
            for part, statement in parts.items()
        }


async def tables_in(engine: AsyncEngine, schema: str) -> set[object]:
    """Return the names of the tables."""
    return {name for name, _ in (await catalogue(engine, schema))["comments"]}


def _without(schema: str, value: object) -> object:
    return value.replace(f"{schema}.", "") if isinstance(value, str) else value
