"""The protocol as the wire speaks it."""

from typing import Any

import pytest
from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from hephaestus_redis.resp import Incomplete, packed, parse

REPLIES: list[tuple[bytes, Any]] = [
    (b"+OK\r\n", b"OK"),
    (b":-7\r\n", -7),
    (b"$5\r\na\r\nbc\r\n", b"a\r\nbc"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+b\r\n", [b"a", [1, None], b"b"]),
]
ERRORS = [
    (b"-NOSCRIPT No matching script.\r\n", NoScriptError),
    (b"-OOM command not allowed\r\n", OutOfMemoryError),
    (b"-ERR no \xff\r\n", ResponseError),
]


@pytest.mark.parametrize(("raw", "value"), REPLIES)
def test_a_reply_is_read_from_where_it_begins_to_where_it_ends(raw: bytes, value: Any) -> None:
    assert parse(b"+before\r\n" + raw + b":1\r\n", 9) == (value, 9 + len(raw))


@pytest.mark.parametrize("raw", [raw for raw, _ in REPLIES])
def test_the_beginning_of_a_reply_is_none(raw: bytes) -> None:
    for size in range(len(raw)):
        with pytest.raises(Incomplete):
            parse(raw[:size], 0)


@pytest.mark.parametrize(("raw", "kind"), ERRORS)
def test_an_error_is_returned_as_the_driver_has_it(raw: bytes, kind: type[Exception]) -> None:
    error, end = parse(raw, 0)

    assert (type(error), end) == (kind, len(raw))


@pytest.mark.parametrize(("raw", "why"), [(b"hello\r\n", "h"), (b"$x\r\n", "invalid literal")])
def test_what_is_no_reply_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(raw, 0)


def test_a_command_is_packed_with_the_length_of_each_part() -> None:
    assert packed(("SET", b"\xff\r\n", 12)) == b"*3\r\n$3\r\nSET\r\n$3\r\n\xff\r\n\r\n$2\r\n12\r\n"
    assert packed(("ECHO", "ä")) == b"*2\r\n$4\r\nECHO\r\n$2\r\n\xc3\xa4\r\n"
