"""The scripts: each a file, run by its SHA."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any, TypeAlias

import msgspec

Command: TypeAlias = tuple[str | bytes | int, ...]
"""A command of Redis, as it is sent."""

_FOLDER = resources.files("hephaestus_redis") / "scripts"
_SHARED = (_FOLDER / "run.lua").read_text("utf-8")
_encoder = msgspec.msgpack.Encoder()


class Script:
    """One script; `run.lua` is a part of each."""

    def __init__(self, name: str, *, writes: bool = True) -> None:
        head, _, body = (_FOLDER / f"{name}.lua").read_text("utf-8").partition("\n")
        self.source = f"{head}\n{_SHARED}{body}".encode()
        self.sha = hashlib.sha1(self.source, usedforsecurity=False).hexdigest()
        self.writes = writes

    def command(self, prefix: bytes, call: Mapping[str, Any]) -> Command:
        """Return the command that runs it, provided that the server knows it."""
        return ("EVALSHA", self.sha, 1, prefix, _encoder.encode(call))

    def taught(self, command: Command) -> Command:
        """Return the same command as one from which the server learns the script."""
        return ("EVAL", self.source, *command[2:])


CREATE = Script("create")
COMMIT = Script("commit")
PUT = Script("put")
LOAD = Script("load", writes=False)
POST = Script("post")
WITHDRAW = Script("withdraw")
DUE = Script("due")
CLAIM = Script("claim")
RENEW = Script("renew")
RELEASE = Script("release")
ADOPT = Script("adopt")
RECORD = Script("record")
DELETE = Script("delete")
PRUNE = Script("prune")
PAGE = Script("page", writes=False)
COUNT = Script("count", writes=False)
SERVER = Script("server", writes=False)
