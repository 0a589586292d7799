"""The older protocol of Redis: commands as they are sent, replies as they come."""

from typing import Any

from redis.asyncio.connection import BaseParser  # type: ignore[attr-defined]  # from elsewhere

from hephaestus_redis.script import Command

_STATUS, _ERROR, _INTEGER, _STRING, _ARRAY = b"+-:$*"


class Incomplete(Exception):
    """The rest of a reply is still to come."""


def packed(command: Command) -> bytes:
    """Return a command as it is sent."""
    parts = [b"*%d\r\n" % len(command)]
    for part in command:
        raw = part if isinstance(part, bytes) else str(part).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def parse(data: bytes, at: int) -> tuple[Any, int]:
    """Return the reply that begins at a place, and the place after it; an error is returned, too.

    Raises:
        Incomplete: It is not there as a whole.
        ValueError: It is no reply.
    """
    end = data.find(b"\r\n", at)
    if end < 0:
        raise Incomplete
    kind, line, at = data[at], data[at + 1 : end], end + 2
    if kind == _STRING:
        return _string(data, at, int(line))
    if kind == _ARRAY:
        return _array(data, at, int(line))
    if kind == _INTEGER:
        return int(line), at
    if kind == _STATUS:
        return line, at
    if kind == _ERROR:
        return _error(line.decode("utf-8", "replace")), at
    raise ValueError(chr(kind))


def _error(line: str) -> Any:
    """Return the exception that the driver has for an error."""
    return BaseParser.parse_error(line)  # type: ignore[no-untyped-call]  # it says nothing of itself


def _string(data: bytes, at: int, size: int) -> tuple[bytes | None, int]:
    if size < 0:
        return None, at
    end = at + size
    if len(data) < end + 2:
        raise Incomplete
    return data[at:end], end + 2


def _array(data: bytes, at: int, count: int) -> tuple[list[Any] | None, int]:
    if count < 0:
        return None, at
    parts = []
    for _ in range(count):
        part, at = parse(data, at)
        parts.append(part)
    return parts, at
