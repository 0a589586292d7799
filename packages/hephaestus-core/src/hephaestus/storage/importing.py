"""What users give to `put` and `record`, checked once for every storage."""

import reprlib
from typing import get_args

import msgspec

from hephaestus import registry
from hephaestus.context import Context
from hephaestus.errors import InvalidArgument, UnknownWorkflow
from hephaestus.instance import Action, ActiveStep, Entry, FinishedStep, Instance, StepError
from hephaestus.key import checked_id, unique_key
from hephaestus.outcome import Halt
from hephaestus.storage import shape

_ID = shape.text(255)
_NUMBER = shape.whole(0, 2**31 - 1)
# Put stores the revision after this one, which has to fit into 64 bits as well.
_COUNT = shape.whole(0, 2**63 - 2)
_TEXT = shape.text()

_ERROR = shape.struct(
    StepError, {"step": _TEXT, "type": _TEXT, "message": _TEXT, "attempt": _NUMBER}
)
_HALT = shape.struct(
    Halt,
    {
        "data": shape.user_data,
        "prompt": shape.optional(_TEXT),
        "resume_to": shape.optional(_TEXT),
    },
)
_ACTIVE = shape.struct(
    ActiveStep,
    {
        "state": shape.one_of(("ready", "waiting", "halted")),
        "attempt": _NUMBER,
        "deadline": shape.optional(shape.moment),
        "dispatches": _NUMBER,
        "failures": _NUMBER,
        "losses": _NUMBER,
        "since": shape.moment,
        "config": shape.optional(shape.user_data),
        "answer": shape.optional(shape.user_data),
        "halt": shape.optional(_HALT),
    },
)
_FINISHED = shape.struct(
    FinishedStep,
    {
        "event": shape.optional(_TEXT),
        "routes": shape.by_key(shape.optional(shape.user_data)),
    },
)
_ENTRY = shape.struct(
    Entry,
    {
        "id": shape.text(300),
        "run_id": _ID,
        "step": shape.optional(_TEXT),
        "step_type": shape.optional(_TEXT),
        "action": shape.one_of(get_args(Action)),
        "event": shape.optional(_TEXT),
        "attempt": shape.optional(_NUMBER),
        "duration": shape.optional(shape.seconds),
        "input": shape.optional(shape.user_data),
        "output": shape.optional(shape.user_data),
        "error": shape.optional(_ERROR),
        "timestamp": shape.moment,
    },
)
_INSTANCE = shape.struct(
    Instance,
    {
        "id": lambda value, _: checked_id(value),
        "run_id": _ID,
        "workflow": _ID,
        "workflow_version": shape.whole(1, 2**31 - 1),
        "context": shape.struct(
            Context, {"initial": shape.user_data, "steps": shape.by_key(shape.user_data)}
        ),
        "active": shape.by_key(_ACTIVE),
        "finished": shape.by_key(_FINISHED),
        "stopped": shape.by_key(_ACTIVE),
        "runtime_metadata": shape.user_data,
        "telemetry_metadata": shape.user_data,
        "tags": shape.several(_TEXT),
        "error": shape.optional(_ERROR),
        "execution_history": shape.several(_ENTRY),
        "created_at": shape.moment,
        "updated_at": shape.optional(shape.moment),
        "finished_at": shape.optional(shape.moment),
        "revision": _COUNT,
        "kept": _COUNT,
        "unique_key": shape.optional(shape.text(600)),
    },
)


def importable(instance: object) -> Instance:
    """Return a run as `put` stores it: with the key that it holds while it is unfinished.

    A run read from a storage has one. For another it is made from what the workflow declares,
    where this process knows the workflow.

    Raises:
        InvalidArgument: It is no run that every storage could keep.
        NotSerializable: It holds what cannot be stored.
    """
    if not isinstance(instance, Instance):
        raise InvalidArgument(f"put takes an Instance, not {reprlib.repr(instance)}")
    _INSTANCE(instance, "")
    return instance if instance.unique_key is not None else _with_key(instance)


def recordable(entry: object) -> Entry:
    """Return an entry as `record` stores it.

    Raises:
        InvalidArgument: It is no entry that every storage could keep.
        NotSerializable: It holds what cannot be stored.
    """
    if not isinstance(entry, Entry):
        raise InvalidArgument(f"record takes an Entry, not {reprlib.repr(entry)}")
    _ENTRY(entry, "")
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
