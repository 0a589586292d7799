"""Which processes descend from which: a killed parent leaves its children behind."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Return the processes that this one began, those that they began, and so on."""
    parents = _parents()
    found = [pid]
    for parent in found:
        found.extend(child for child, its in parents.items() if its == parent)
    return found[1:]


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be buried does not."""
    return pid in _parents()


def kill(pid: int) -> None:
    """End a process at once, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _parents() -> dict[int, int]:
    """Return the parent of every living process."""
    rows = _rows_of_proc() if Path("/proc/self/stat").exists() else _rows_of_ps()
    return {pid: parent for pid, state, parent in rows if not state.startswith(("Z", "X"))}


def _rows_of_proc() -> list[tuple[int, str, int]]:
    rows = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                _, _, rest = (folder / "stat").read_text("utf-8", "replace").rpartition(")")
                state, parent = rest.split()[:2]
                rows.append((int(folder.name), state, int(parent)))
    return rows


def _rows_of_ps() -> list[tuple[int, str, int]]:
    command = ["ps", "-A", "-o", "pid=,stat=,ppid="]
    listing = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    rows = (line.split() for line in listing.splitlines())
    return [(int(pid), state, int(parent)) for pid, state, parent in rows]
