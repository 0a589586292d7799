"""Where a server lives: a temporary folder, with its binaries where its user may not enter them."""

import os
import shutil
import tempfile
from pathlib import Path

from servers.account import Account, is_open
from servers.guard import guard
from servers.source import Installed


class Place:
    """A temporary folder that belongs to the account."""

    def __init__(self, account: Account | None) -> None:
        self.account = account
        usual = Path(tempfile.gettempdir()).resolve()
        parent = usual if account is None or is_open(usual) else Path("/tmp")  # noqa: S108 - made private below
        self.folder = Path(tempfile.mkdtemp(prefix="hephaestus-", dir=parent))
        guard().watch(self.folder)
        self._own(self.folder)

    def make(self, name: str) -> Path:
        """Make a folder within, for the account alone."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self._own(folder)
        return folder

    def programs(self, source: Installed) -> Path:
        """Return the folder of the programs, hard-linked into this place where it is closed."""
        there = source.base / source.programs
        if not source.trees or self.account is None or is_open(there):
            return there
        for tree in source.trees:
            shutil.copytree(
                source.base / tree,
                self.folder / "binaries" / tree,
                symlinks=True,
                copy_function=_link,
                ignore=shutil.ignore_patterns("include", "__pycache__"),
            )
        return self.folder / "binaries" / source.programs

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        guard().forget(self.folder)

    def _own(self, folder: Path) -> None:
        if self.account is not None:
            os.chown(folder, self.account.user, self.account.group)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
