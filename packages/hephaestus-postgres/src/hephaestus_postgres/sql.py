"""The statements of the storage, each in a file of its own, for the tables of one storage.

A statement takes columns of values as arrays, and what one caller sends as it is, see `given`; it
finds its rows by an index. One that changes a run locks its row first, and reads from the locked
row what others change without a revision: the leases. A commit does without, as each lock would be
logged: it writes a row if its leases still are what it read. Should it have to wait for one, what
another transaction holds is skipped, and sent alone afterwards. A test as `(… IN (SELECT …)) IS
TRUE` keeps the planner from a join, which would compare all with all: the better kinds of joins are
switched off, see `wire`.

In a file, `{instances}`, `{entries}` and `{inbox}` are the tables; any other name in braces is a
part, which is a file that begins with an underscore, or one of the few words given here.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, Literal

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql.compiler import IdentifierPreparer

from hephaestus_postgres.given import Given, Row
from hephaestus_postgres.tables import Tables

_FOLDER = files("hephaestus_postgres") / "statements"
_PART = re.compile(r"\{([a-z_]+)\}")
_KEY = "hashtextextended(unique_key, 0)"
_LOCK = f"pg_try_advisory_xact_lock({_KEY})"
_WAITING_LOCK = f"pg_advisory_xact_lock({_KEY}) IS NOT NULL"
_KNOWN = "ON CONFLICT DO NOTHING"
_UNCHANGED = " AND i.revision = n.revision - 1 AND i.leases = n.had"

Locking = Literal["late", "skip", "wait"]
"""When a commit locks its rows: late, as it writes them, if nobody has changed them meanwhile; or
first, and then it skips those that another holds, or waits for them."""

_LOCKS: dict[Locking, str] = {
    "late": "",
    "skip": "FOR NO KEY UPDATE OF i SKIP LOCKED",
    "wait": "FOR NO KEY UPDATE OF i",
}

_RENEWED = """jsonb_build_object(
    'until', greatest((l.value->>'until')::timestamptz, $4::timestamptz)
)"""
_RELEASED = "jsonb_build_object('until', $3::timestamptz, 'released', true)"
_EITHER = (False, True)


class Statements:
    """The statements with the names of the tables in them."""

    def __init__(self, tables: Tables) -> None:
        self._names = {name: quoted(table) for name, table in tables._asdict().items()}
        self._creates = {form: self._to_create(*form) for form in product(_EITHER, _EITHER)}
        self.holders = self._made("holders")
        self._commits = {form: self._to_commit(*form) for form in product(_LOCKS, _EITHER, _EITHER)}
        self.standing = self._made("standing")
        self.lock = self._made("lock")
        self._post = self._given("post")
        self.withdraw = self._made("withdraw")
        self.find = self._made("find")
        self._read = self._given("read", inbox_of_run=_read("_inbox"))
        self.entries = self._made("entries")
        self._claims = {
            alone: self._given("claim", skip="" if alone else "SKIP LOCKED") for alone in _EITHER
        }
        self.renew = self._made("_change_leases", become=_RENEWED, more="")
        self.release = self._made("_change_leases", become=_RELEASED, more=", handed_until = NULL")
        self.adopt = self._made("adopt")
        self.due = self._made("due")
        self.put = self._made("put")
        self.unset_results = self._made("unset_results")
        self._record = self._given("record")
        self.doomed = self._made("doomed")
        self.old = self._made("old")
        self.delete = self._made("delete")

    def create(
        self, runs: Sequence[Row], entries: Sequence[Row], *, alone: bool = False
    ) -> list[Any]:
        """Return the statement that inserts runs, and its values; alone, it waits for others."""
        tables = [rows for rows in (entries, runs) if rows]
        return self._creates[alone, bool(entries)].filled(*tables, is_one=len(runs) == 1)

    def commit(
        self,
        runs: Sequence[Row],
        entries: Sequence[Row],
        messages: Sequence[Row],
        *,
        locking: Locking,
    ) -> list[Any]:
        """Return the statement that commits changes of runs, and its values."""
        tables = [rows for rows in (entries, runs, messages) if rows]
        statement = self._commits[locking, bool(entries), bool(messages)]
        return statement.filled(*tables, is_one=len(runs) == 1)

    def post(self, messages: Sequence[Row]) -> list[Any]:
        """Return the statement that puts messages into inboxes, and its values."""
        return self._post.filled(messages, is_one=len(messages) == 1)

    def read(self, questions: Sequence[Row]) -> list[Any]:
        """Return what reads runs, given for each: its run id, with inbox?, with history?"""
        return self._read.filled(questions, is_one=len(questions) == 1)

    def claim(self, claims: Sequence[Row], *, alone: bool = False) -> list[Any]:
        """Return what takes leases; alone, it waits for others."""
        return self._claims[alone].filled(claims, is_one=len(claims) == 1)

    def record(self, entries: Sequence[Row]) -> list[Any]:
        """Return the statement that appends entries to histories, and its values."""
        return self._record.filled(entries, is_one=True)

    def _to_create(self, alone: bool, told: bool) -> Given:
        return self._given(
            "create",
            lock=_WAITING_LOCK if alone else _LOCK,
            told=_read("_told") if told else "",
            known=_KNOWN,
        )

    def _to_commit(self, locking: Locking, told: bool, messages: bool) -> Given:
        return self._given(
            "commit",
            lock=_LOCKS[locking],
            unchanged=_UNCHANGED if locking == "late" else "",
            told=_read("_told") if told else "",
            # An entry of a batch is new, so that PostgreSQL need not note that it looked.
            known=_KNOWN if locking == "wait" else "",
            messages=_read("_messages") if messages else "",
        )

    def _given(self, name: str, **words: str) -> Given:
        return Given(self._made(name, **words))

    def _made(self, name: str, **words: str) -> str:
        known = {**self._names, **words}

        def part(found: re.Match[str]) -> str:
            word = found[1]
            return _PART.sub(part, known[word] if word in known else _read(f"_{word}"))

        return _PART.sub(part, _read(name))


def quoted(table: Table) -> str:
    """Return the name of a table as it stands in a statement."""
    dialect = PGDialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it without
    preparer: IdentifierPreparer = dialect.identifier_preparer
    return preparer.format_table(table)


@cache
def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text().strip()
