"""What callers put into a storage: messages for a run, and runs that begin later."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from hephaestus import data, engine, registry
from hephaestus.codec import Codec
from hephaestus.instance import Instance
from hephaestus.message import CancelRequested, Message
from hephaestus.storage import Change

_LONGEST_DEDUP_KEY = 255


def event_message(
    instance: Instance,
    event: str | None,
    payload: Mapping[str, Any] | None,
    *,
    codec: Codec,
    step: str | None = None,
    dedup_key: str | None = None,
    not_before: datetime | None = None,
) -> Message:
    """Return the message that carries an event, bound to its step.

    Raises:
        UnknownWorkflow: The run's workflow is not defined in this process.
        InstanceFinished: The run is completed or cancelled.
        UnknownEvent: No step takes the event.
        AmbiguousEvent: Several steps could.
        NotSerializable: The payload cannot be stored.
        InvalidArgument: The event or the `dedup_key` is no text that can be stored; a
            `dedup_key` has 1 to 255 characters.
    """
    if event is not None:
        data.check_text(event, "event")
    if dedup_key is not None:
        data.check_text(dedup_key, "dedup_key", longest=_LONGEST_DEDUP_KEY)
    workflow = registry.find(instance.workflow, instance.workflow_version)
    body = engine.bind(instance, workflow, event, step)
    message_id = _new_id()
    return Message(
        id=message_id,
        run_id=instance.run_id,
        body=msgspec.structs.replace(body, payload=codec.checked(payload, "the payload")),
        dedup_key=message_id if dedup_key is None else dedup_key,
        not_before=not_before,
    )


def cancel_message(instance: Instance) -> Message:
    """Return the message that asks a run to stop."""
    message_id = _new_id()
    return Message(
        id=message_id, run_id=instance.run_id, body=CancelRequested(), dedup_key=message_id
    )


def pending(instance: Instance, now: datetime) -> Change:
    """Return the change that stores a run without advancing it; the first to see it due does."""
    first = msgspec.structs.replace(instance, revision=1, updated_at=now)
    return Change(instance=first, token=_new_id(), wake_at=now)


def _new_id() -> str:
    return secrets.token_hex(16)
