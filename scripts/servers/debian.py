"""Debian's own packages, where we may install them: as root, on a machine for tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks it whether a package may start its service; 101 means no."""

LOCK = Path("/var/lib/dpkg")


def can_install() -> bool:
    """Return whether this is a Debian and we are its root."""
    return LOCK.is_dir() and shutil.which("apt-get") is not None and os.geteuid() == 0


def install(package: str, program: Path) -> str:
    """Install a package for the sake of a program, without its service; return what went wrong."""
    commands = (["apt-get", "update"], ["apt-get", "install", "--no-install-recommends", package])
    with _one_at_a_time(), no_services():
        for command in commands:
            if program.exists():  # another worker was first
                break
            done = _run([*command, "--quiet", "--yes"])
            if done.returncode:
                return f"{' '.join(command)} failed: {done.stdout[-1000:].strip()}"
    return ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    settings = ["DPkg::Lock::Timeout=120", "Acquire::Retries=1", "Acquire::http::Timeout=20"]
    return subprocess.run(
        [*command, *(word for setting in settings for word in ("-o", setting))],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    import fcntl  # Windows has none

    folder = os.open(LOCK, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def no_services() -> Iterator[None]:
    """Keep what is installed meanwhile from starting its service."""
    if POLICY.exists():  # its own decision stands
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", "utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
