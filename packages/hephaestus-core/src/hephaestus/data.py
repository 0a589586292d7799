"""User data as JSON.

What JSON can say stays as it is. Everything else becomes a tag, an object whose only key is `$`,
like `{"$": ["date", "2026-01-02"]}`:

    tag                      body
    datetime, date, time     ISO 8601; a zone becomes its offset, and naive stays naive
    timedelta                microseconds
    uuid, decimal            text
    bytes                    base64
    tuple, set, frozenset    a list; a set's is in the order of its elements' JSON
    int                      hexadecimal text, for integers of more than 640 digits

A key that a user made of dollars alone gets one more, so that `$` is always ours. Enum members are
stored as their values, dataclasses and Structs as mappings of their fields (a field without a value
is left out), subclasses as the type they extend. No tag names code: the table of them is closed.
"""

import base64
import dataclasses
import reprlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from math import isfinite
from types import NoneType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from hephaestus.errors import InvalidArgument, NotSerializable

JsonValue: TypeAlias = (
    "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | msgspec.Raw | None"
)
"""What msgspec writes as it is; a `Raw` is a float that it would not write as one."""

_T = TypeVar("_T")
_Encoder: TypeAlias = Callable[[Any, int], JsonValue]

_SCALARS = frozenset({str, int, float, bool, NoneType})
_MAX_DEPTH = 100
_STORABLE = (
    "JSON values, dates and times, UUID, Decimal, bytes, sets, tuples, dataclasses or Structs"
)
# No setting makes Python refuse integers as text of up to 640 digits, and 2**2126 has as many.
_LARGE = 1 << 2126
_DOLLAR, _BACKSLASH = b"$\\"
# From here on msgspec writes exponents, and jsonb turns `1e16` into an integer.
_LARGE_FLOAT = 1e16


def encode(value: object, where: str = "data") -> JsonValue:
    """Return `value` as JSON; `NotSerializable` names what cannot be stored, from `where` on."""
    try:
        return _ENCODERS[type(value)](value, 0)
    except _Refused as refused:
        raise refused.located(where) from None


def decode(value: object) -> Any:
    """Return what `encode` was given, from its parsed JSON; `ValueError` if a tag is malformed."""
    if isinstance(value, dict):
        if "$" in value:
            return _untagged(value)
        return {
            k if "$" not in k or k.strip("$") else k[:-1]: v if type(v) in _SCALARS else decode(v)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [v if type(v) in _SCALARS else decode(v) for v in value]
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def dumps(value: object, where: str = "data") -> bytes:
    """Return `value` as JSON text; raises as `encode` does."""
    return msgspec.json.encode(encode(value, where))


def loads(raw: bytes) -> Any:
    """Return what `dumps` was given; raises as `decode` does, also for what is not JSON."""
    parsed = msgspec.json.decode(raw)
    return decode(parsed) if may_hold_tags(raw) else parsed


def may_hold_tags(raw: bytes) -> bool:
    """Return False if `decode` would change nothing: the JSON has neither dollars nor escapes."""
    # Asked for a byte rather than for bytes, Python is ten times as fast.
    return _DOLLAR in raw or _BACKSLASH in raw


def normalise(value: object, where: str = "data") -> Any:
    """Return `value` as it will be read back, in fresh containers; raises as `encode` does."""
    return decode(encode(value, where))


def copied(value: _T) -> _T:
    """Return a deep copy of a value that `decode` or `normalise` returned."""
    copy: Any = value
    if isinstance(copy, dict):
        copy = {k: v if type(v) in _SCALARS else copied(v) for k, v in copy.items()}
    elif isinstance(copy, list | tuple | set):
        copy = type(copy)([v if type(v) in _SCALARS else copied(v) for v in copy])
    result: _T = copy
    return result


def as_mapping(value: object) -> Mapping[str, object] | None:
    """Return a mapping as it is, a dataclass or Struct as a dict of its fields, else None."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(field.name for field in dataclasses.fields(value))
    else:
        return None
    return {n: v for n in names if (v := getattr(value, n, msgspec.UNSET)) is not msgspec.UNSET}


def check_text(value: object, where: str, *, longest: int | None = None) -> str:
    """Return a text that every storage can keep; one with a limit is not empty either.

    Raises:
        InvalidArgument: It is no text, or not of 1 to `longest` characters.
        NotSerializable: It holds a NUL character or a lone surrogate.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{where} must be a text, not {reprlib.repr(value)}")
    if longest is not None and not 0 < len(value) <= longest:
        raise InvalidArgument(
            f"{where} must be a text of 1 to {longest} characters, not {len(value)}: "
            f"{reprlib.repr(value)}"
        )
    try:
        return _text(value, 0)
    except _Refused as refused:
        raise refused.located(where) from None


def check_plain(value: object, where: str) -> None:
    """Raise `NotSerializable` unless `value` is JSON without a tag, at every depth."""
    encode(value, where)
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            check_plain(item, f"{where}[{key!r}]")
    elif not isinstance(value, str | int | float | None):
        raise NotSerializable(where, f"type {_name(type(value))} is not plain JSON")


class _Refused(ValueError):
    """Unwinds to `encode` and collects the way from the root, innermost first."""

    def __init__(self, reason: str, container: object = None) -> None:
        super().__init__(reason)
        self.way: list[tuple[object, str]] = [(container, "")]

    def located(self, path: str) -> NotSerializable:
        """Return the error for the user; what is too deep may turn out to be endless."""
        paths: dict[int, str] = {}
        for container, segment in reversed(self.way):
            if container is not None and id(container) in paths:
                return NotSerializable(path, f"it is {paths[id(container)]} again, a cycle")
            paths[id(container)] = path
            path += segment
        return NotSerializable(path, str(self))


def _too_deep(value: object) -> _Refused:
    return _Refused(f"it lies more than {_MAX_DEPTH} levels deep", value)


def _mapping(value: Mapping[Any, Any], depth: int, owner: object = None) -> JsonValue:
    if depth == _MAX_DEPTH:
        raise _too_deep(value if owner is None else owner)
    depth += 1
    encoded: dict[str, JsonValue] = {}
    key: Any = None
    try:
        for key, item in value.items():
            # Most keys are identifiers, and those hold no NUL, surrogate or dollar.
            stored = key if type(key) is str and key.isidentifier() else _key(key)
            encoded[stored] = _ENCODERS[type(item)](item, depth)
    except _Refused as refused:
        refused.way.append((value, f"[{key!r}]") if owner is None else (owner, f".{key}"))
        raise
    return encoded


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise _Refused(f"keys must be str, not {_name(type(key))}")
    text = _text(key, 0, "the key")
    return text if text.strip("$") or not text else text + "$"


def _list(value: Iterable[object], depth: int, segment: str = "[{}]") -> list[JsonValue]:
    if depth == _MAX_DEPTH:
        raise _too_deep(value)
    depth += 1
    encoded: list[JsonValue] = []
    try:
        for item in value:
            encoded.append(_ENCODERS[type(item)](item, depth))  # noqa: PERF401  # its length is the index
    except _Refused as refused:
        refused.way.append((value, segment.format(len(encoded))))
        raise
    return encoded


def _elements(value: Iterable[object], depth: int) -> list[JsonValue]:
    encoded = _list(value, depth, "{{…}}")
    try:
        hash(tuple(decode(encoded)))
    except TypeError:
        raise _Refused("an element would come back as a list, dict or set") from None
    distinct = {msgspec.json.encode(element): element for element in encoded}
    return [distinct[text] for text in sorted(distinct)]


def _other(value: object, depth: int) -> JsonValue:
    fields = as_mapping(value)
    if fields is None:
        raise _Refused(f"type {_name(type(value))} is not supported; convert it to {_STORABLE}")
    return _mapping(fields, depth, value)


def _text(value: str, _: int, what: str = "the text") -> str:
    if "\x00" in value:
        raise _Refused(f"{what} holds a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Refused(f"{what} holds a lone surrogate") from None
    return value if type(value) is str else str.__str__(value)


def _int(value: int, _: int) -> JsonValue:
    exact = value if type(value) is int else int.__int__(value)
    return exact if -_LARGE < exact < _LARGE else {"$": ["int", format(exact, "x")]}


def _float(value: float, _: int) -> JsonValue:
    exact = value if type(value) is float else float.__float__(value)
    if -_LARGE_FLOAT < exact < _LARGE_FLOAT:
        return exact
    if not isfinite(exact):
        raise _Refused(f"{exact} is not a finite number")
    return msgspec.Raw(format(exact, ".1f").encode())


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise _Refused(f"{number} is not a finite number")
    return number


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _tagged(tag: str, body: _Encoder) -> _Encoder:
    return lambda value, depth: {"$": [tag, body(value, depth)]}


class _Encoders(dict[Any, _Encoder]):
    """Encoders by exact type; any other type is encoded as the first that it extends."""

    def __missing__(self, kind: Any) -> _Encoder:
        return _encoder(kind)


_ENCODERS: _Encoders = _Encoders(
    {
        Enum: lambda member, depth: _ENCODERS[type(member.value)](member.value, depth),
        str: _text,
        bool: lambda value, _: value,
        int: _int,
        float: _float,
        NoneType: lambda value, _: value,
        dict: _mapping,
        Mapping: _mapping,
        list: _list,
        tuple: _tagged("tuple", _list),
        set: _tagged("set", _elements),
        frozenset: _tagged("frozenset", _elements),
        datetime: _tagged("datetime", lambda value, _: datetime.isoformat(value)),
        date: _tagged("date", lambda value, _: date.isoformat(value)),
        time: _tagged("time", lambda value, _: time.isoformat(value)),
        timedelta: _tagged("timedelta", lambda value, _: value // timedelta.resolution),
        UUID: _tagged("uuid", lambda value, _: str(value)),
        Decimal: _tagged("decimal", lambda value, _: str(_finite(value))),
        bytes: _tagged("bytes", lambda value, _: base64.b64encode(value).decode()),
    }
)


@lru_cache(maxsize=1024)
def _encoder(kind: Any) -> _Encoder:
    bases = (encoder for base, encoder in _ENCODERS.items() if issubclass(kind, base))
    return next(bases, _other)


def _untagged(tag: dict[str, Any]) -> object:
    match tag:
        case {"$": [str(name), body]} if len(tag) == 1 and name in _DECODERS:
            kind, read = _DECODERS[name]
            if type(body) is kind:
                try:
                    return read(body)
                except (TypeError, ValueError, ArithmeticError) as error:
                    raise ValueError(f"malformed tag {name!r}: {error}") from error
    raise ValueError(f"unknown or malformed tag {reprlib.repr(tag)}")


_DECODERS: dict[str, tuple[type, Callable[[Any], object]]] = {
    "datetime": (str, datetime.fromisoformat),
    "date": (str, date.fromisoformat),
    "time": (str, time.fromisoformat),
    "timedelta": (int, lambda number: timedelta(microseconds=number)),
    "uuid": (str, UUID),
    "decimal": (str, lambda text: _finite(Decimal(text))),
    "bytes": (str, partial(base64.b64decode, validate=True)),
    "tuple": (list, lambda items: tuple(decode(items))),
    "set": (list, lambda items: set(decode(items))),
    "frozenset": (list, lambda items: frozenset(decode(items))),
    "int": (str, partial(int, base=16)),
}
