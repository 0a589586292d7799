"""What users give to `put` and `record`, checked once for every storage."""

import reprlib
from datetime import datetime
from typing import get_args

import msgspec

from hephaestus import registry
from hephaestus.context import Context
from hephaestus.errors import InvalidArgument, UnknownWorkflow
from hephaestus.instance import Action, Entry, Instance
from hephaestus.key import checked_id, unique_key

_ACTIONS = get_args(Action)


def importable(instance: object) -> Instance:
    """Return a run as `put` stores it: with the key that it holds while it is unfinished.

    A run read from a storage has one. For another it is made from what the workflow declares,
    where this process knows the workflow.

    Raises:
        InvalidArgument: It is no run that every storage could keep.
    """
    if not isinstance(instance, Instance) or not isinstance(instance.context, Context):
        raise InvalidArgument(
            f"put takes an Instance, and its context is a Context, not {reprlib.repr(instance)}"
        )
    checked_id(instance.id)
    _check_text("run_id", instance.run_id)
    _check_moment("created_at", instance.created_at)
    for name in ("updated_at", "finished_at"):
        if getattr(instance, name) is not None:
            _check_moment(name, getattr(instance, name))
    for entry in instance.execution_history:
        recordable(entry)
    return instance if instance.unique_key is not None else _with_key(instance)


def recordable(entry: object) -> Entry:
    """Return an entry as `record` stores it.

    Raises:
        InvalidArgument: It is no entry that every storage could keep.
    """
    if not isinstance(entry, Entry) or entry.action not in _ACTIONS:
        raise InvalidArgument(
            f"record takes an Entry, and its action is one of {', '.join(_ACTIONS)}, "
            f"not {reprlib.repr(entry)}"
        )
    _check_text("id", entry.id)
    _check_text("run_id", entry.run_id)
    _check_moment("timestamp", entry.timestamp)
    return entry


def _with_key(instance: Instance) -> Instance:
    try:
        workflow = registry.find(instance.workflow, instance.workflow_version)
    except UnknownWorkflow:
        return instance
    key = unique_key(
        workflow.declared_unique(), instance.id, workflow.family, instance.workflow_version
    )
    return msgspec.structs.replace(instance, unique_key=key)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise InvalidArgument(f"{name} must be a printable text, got {value!r}")


def _check_moment(name: str, value: object) -> None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidArgument(f"{name} must be a datetime with a time zone, got {value!r}")
