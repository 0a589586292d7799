"""Declared inputs: the type that a workflow's initial data have, and what they are as JSON.

msgspec validates Structs, dataclasses, attrs classes and TypedDicts. A pydantic model is known by
its methods, and validates itself; nothing here imports pydantic.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from hephaestus import data
from hephaestus.errors import InvalidArgument, NotSerializable

_WHERE = "the initial data"
_STORED_AS_THEY_ARE = (bytes, datetime, date, time, timedelta, UUID, Decimal)


def check_type(kind: object) -> None:
    """Refuse what cannot be the type of initial data, which are an object with named fields.

    Raises:
        InvalidArgument: It is no such type, or names one that is not defined yet.
    """
    from msgspec import inspect

    if _is_model(kind):
        return
    try:
        info: Any = inspect.type_info(kind)
    except (TypeError, NameError) as error:
        raise InvalidArgument(f"{_name(kind)} cannot be decoded: {error}") from error
    match info:
        case inspect.StructType(array_like=False):
            return
        case inspect.DataclassType() | inspect.TypedDictType():
            return
    raise InvalidArgument(
        "it takes a msgspec Struct, a dataclass, a TypedDict or a pydantic model, "
        f"not {_name(kind)}"
    )


def plain(kind: Any, given: object, workflow: str) -> object:
    """Return initial data as they are stored, with the defaults of the type filled in.

    Args:
        kind: The declared type; None: the data go through as they are.
        given: A mapping, or an instance of the type.
        workflow: Whose initial data they are.

    Raises:
        InvalidArgument: They do not fit the type; the field is named.
        NotSerializable: They hold what cannot be stored.
    """
    if kind is None:
        return given
    given = {} if given is None else given
    try:
        if _is_model(kind):
            return _dumped(kind.model_validate(_as_data(given)))
        return _builtins(_convert(_builtins(given), kind))
    except NotSerializable:
        raise
    except _MISFITS as error:
        raise InvalidArgument(
            f"workflow {workflow!r}: {_WHERE} do not fit {_name(kind)}: {_reason(error)}"
        ) from None


def decoded(kind: Any, stored: Mapping[str, Any]) -> Any:
    """Return stored initial data as an instance of the declared type.

    Raises:
        InvalidArgument: They do not fit the type, which has changed since the run began.
    """
    try:
        return kind.model_validate(stored) if _is_model(kind) else _convert(stored, kind)
    except _MISFITS as error:
        raise InvalidArgument(f"{_WHERE} do not fit {_name(kind)}: {_reason(error)}") from None


_MISFITS = (msgspec.ValidationError, ValueError)
"""What a validation ends with: msgspec's error, and pydantic's, which is a ValueError."""


def _is_model(kind: object) -> bool:
    return (
        isinstance(kind, type) and hasattr(kind, "model_validate") and hasattr(kind, "model_dump")
    )


def _as_data(given: object) -> object:
    """Return what a model is to validate; an instance of one is not taken to be valid."""
    if _is_model(type(given)):
        return _dumped(given)
    fields = data.as_mapping(given)
    return given if fields is None else dict(fields)


def _dumped(model: Any) -> Any:
    # By alias, since that is what a model validates; dates stay dates, as in any initial data.
    return model.model_dump(by_alias=True, round_trip=True, warnings=False)


def _builtins(value: object) -> Any:
    try:
        return msgspec.to_builtins(
            value,
            builtin_types=_STORED_AS_THEY_ARE,
            str_keys=True,
            order="deterministic",
            enc_hook=_other,
        )
    except (TypeError, RecursionError) as error:
        raise NotSerializable(_WHERE, str(error)) from error


def _other(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"type {_name(type(value))} is not supported")


def _convert(value: object, kind: Any) -> Any:
    return msgspec.convert(value, kind, str_keys=True)


def _reason(error: Exception) -> str:
    """Return what is wrong, and in which field; never the value, which may be a secret."""
    details: Any = getattr(error, "errors", None)
    if callable(details):
        return "; ".join(_at(".".join(map(str, one["loc"])), one["msg"]) for one in details())
    what, _, path = str(error).partition(" - at `$")
    return _at(path.rstrip("`").removeprefix("."), what)


def _at(path: str, what: str) -> str:
    return f"{path}: {what}" if path else what


def _name(kind: object) -> str:
    return getattr(kind, "__qualname__", None) or repr(kind)
