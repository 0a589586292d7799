"""Whom a server runs as: servers refuse to be root."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user without rights."""

    user: int
    """Its number."""

    group: int
    """The number of its group."""

    @classmethod
    def for_servers(cls) -> "Account | None":
        """Return `nobody` where we are root, else nothing: a server then runs as we do."""
        if os.name == "nt" or os.geteuid() != 0:
            return None
        import pwd  # Windows has none

        nobody = pwd.getpwnam("nobody")
        return cls(user=nobody.pw_uid, group=nobody.pw_gid)


def is_open(path: Path) -> bool:
    """Return whether every user can come as far as this folder."""
    folders = [path, *path.parents]
    return all(folder.stat().st_mode & 0o001 for folder in folders)
