"""What bodies of steps did, noted in a file that outlives the processes."""

import os
import time
from pathlib import Path

import msgspec

from hephaestus import StepContext

_NOTES = "notes.jsonl"
_ACCEPTED = "accepted.jsonl"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of one execution of a step's body."""

    run_id: str
    step: str
    attempt: int
    pid: int
    at: float
    """In seconds since the epoch."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A start that returned."""

    kind: str
    id: str
    run_id: str


class Effects:
    """The files of one scenario; every process appends to them, a line in one write."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def note(self, ctx: StepContext) -> None:
        """Note that an execution begins."""
        run_id, _, step = ctx.idempotency_key.rpartition("/")
        note = Note(run_id=run_id, step=step, attempt=ctx.attempt, pid=os.getpid(), at=time.time())
        self._append(_NOTES, note)

    def accept(self, kind: str, id: str, run_id: str) -> None:
        """Note that a start was accepted."""
        self._append(_ACCEPTED, Accepted(kind=kind, id=id, run_id=run_id))

    def notes(self) -> list[Note]:
        """Return what was noted of executions."""
        return [msgspec.json.decode(line, type=Note) for line in self._lines(_NOTES)]

    def accepted(self) -> list[Accepted]:
        """Return what was noted of starts."""
        return [msgspec.json.decode(line, type=Accepted) for line in self._lines(_ACCEPTED)]

    def _append(self, name: str, line: msgspec.Struct) -> None:
        # What the kernel has taken stays, however the process ends.
        file = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, msgspec.json.encode(line) + b"\n")
        finally:
            os.close(file)

    def _lines(self, name: str) -> list[bytes]:
        path = self._folder / name
        return path.read_bytes().splitlines() if path.exists() else []


_here: list[Effects] = []


def settle(folder: str, table: str) -> None:
    """Say where the bodies of this process write."""
    _here[:] = [Effects(folder)]
    _tables[:] = [table]


def here() -> Effects:
    """Return where the bodies of this process write."""
    return _here[-1]


_tables: list[str] = []


def table() -> str:
    """Return the table that transactional bodies of this process write into."""
    return _tables[-1]
