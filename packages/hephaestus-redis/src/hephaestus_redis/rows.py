"""Runs as the scripts write them, and as they are read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.context import Context
from hephaestus.errors import DamagedInstance
from hephaestus.instance import Entry, Instance
from hephaestus.storage import Change, Snapshot
from hephaestus_redis import keys
from hephaestus_redis.histories import lines
from hephaestus_redis.leases import granting, leases, place_of
from hephaestus_redis.letters import messages

Fields = Mapping[bytes, bytes]
"""The fields of a run, as they are stored; those that it lacks are missing."""

_RESULT = b"result:"
_ALWAYS = (
    "id", "workflow", "version", "created", "status", "revision", "tags", "initial", "state",
    "updated", "finished", "unique_key",
)  # fmt: skip
"""The fields that an instance is made of, results apart."""


def creating(change: Change, codec: Codec) -> dict[str, Any]:
    """Return a change as the script takes it that inserts a run.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    instance = change.instance
    call = committing(change, codec)
    call["fields"] += [
        *_identity(instance, codec),
        *("version", str(instance.workflow_version)),
        *("created", keys.moment(instance.created_at)),
    ]
    call["unique_key"] = instance.unique_key
    return call


def committing(change: Change, codec: Codec) -> dict[str, Any]:
    """Return a change as the script takes it that writes one.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    instance = change.instance
    results = {key: codec.dump(instance.context.steps[key]) for key in change.results}
    wake = None if change.wake_at is None else keys.instant(change.wake_at)
    written = _progress(instance, codec) | {
        "revision": str(instance.revision),
        "token": change.token,
        "wake": wake,
    }
    return {
        "run_id": instance.run_id,
        "is_finished": instance.is_finished,
        "before": str(instance.revision - 1),
        "revision": str(instance.revision),
        "token": change.token,
        "fields": [*_flat(written), *_results(results)],
        # A commit ends a hand-over.
        "absent": ["handed", *(name for name, value in written.items() if value is None)],
        "entries": lines(change.entries, codec, results),
        "consumed": change.consumed,
        "kept": change.kept,
        "ended": [place_of(*ended) for ended in change.ended],
        "freed": [place_of(*freed) for freed in change.freed],
        "granted": [granting(lease) for lease in change.granted],
    }


def putting(instance: Instance, codec: Codec) -> dict[str, Any]:
    """Return a run as the script takes it that makes it the new truth.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    results = {key: codec.dump(value) for key, value in instance.context.steps.items()}
    written = _progress(instance, codec)
    written["wake"] = None if instance.is_finished else keys.AT_ONCE
    written["token"] = ""
    return {
        "run_id": instance.run_id,
        "is_finished": instance.is_finished,
        "unique_key": instance.unique_key,
        "version": str(instance.workflow_version),
        "created": keys.moment(instance.created_at),
        "revision": str(instance.revision + 1),
        "fields": [*_identity(instance, codec), *_flat(written), *_results(results)],
        "entries": lines(instance.execution_history, codec),
    }


def fields_with(results: Collection[str]) -> list[str]:
    """Return the names of the fields that an instance with these results is made of."""
    return [*_ALWAYS, *(f"result:{key}" for key in results)]


def named(names: Iterable[str], values: Sequence[bytes | None]) -> Fields:
    """Return fields that were asked for by name."""
    pairs = zip(names, values, strict=True)
    return {name.encode(): value for name, value in pairs if value is not None}


def paired(reply: Any) -> dict[bytes, bytes]:
    """Return what a server replies as pairs, in whichever version of its protocol."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[::2], reply[1::2], strict=True))


def to_instance(
    run_id: str, fields: Fields, codec: Codec, history: tuple[Entry, ...] = ()
) -> Instance:
    """Return a run with the results that are among its fields.

    Raises:
        DamagedInstance: It cannot be read.
    """
    try:
        unique_key = fields.get(b"unique_key")
        return Instance(
            id=fields[b"id"].decode(),
            run_id=run_id,
            workflow=fields[b"workflow"].decode(),
            workflow_version=int(fields[b"version"]),
            status=fields[b"status"].decode(),  # type: ignore[arg-type]  # checked when it is made
            tags=tuple(msgspec.json.decode(fields[b"tags"])),
            created_at=keys.from_moment(fields[b"created"]),
            updated_at=_time(fields.get(b"updated")),
            finished_at=_time(fields.get(b"finished")),
            revision=int(fields[b"revision"]),
            unique_key=None if unique_key is None else unique_key.decode(),
            execution_history=history,
            context=Context(
                initial=codec.load(fields[b"initial"]),
                steps={key: codec.load(raw) for key, raw in _results_of(fields)},
            ),
            **codec.load_state(fields[b"state"]),
        )
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, str(error)) from error


def to_snapshot(run_id: str, reply: Sequence[Any], codec: Codec) -> Snapshot:
    """Return a run with its inbox and its leases.

    Raises:
        DamagedInstance: It cannot be read.
    """
    fields, inbox, unseen = (paired(part) for part in reply)
    instance = to_instance(run_id, fields, codec)
    try:
        return Snapshot(
            instance=instance,
            inbox=messages(run_id, inbox, unseen, codec),
            leases=leases(run_id, fields.get(b"leases")),
        )
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise DamagedInstance(run_id, f"in its inbox or its leases: {error}") from error


def to_context(fields: Fields) -> dict[str, Any]:
    """Return a run's context as it is stored: plain JSON.

    Raises:
        ValueError: What is stored is not JSON.
    """
    steps = {key: msgspec.json.decode(raw) for key, raw in _results_of(fields)}
    return {"initial": msgspec.json.decode(fields[b"initial"]), "steps": steps}


def _time(stored: bytes | None) -> datetime | None:
    return None if stored is None else keys.from_moment(stored)


def _identity(instance: Instance, codec: Codec) -> list[str]:
    """Return the fields that no commit changes, but those that a put leaves as they are."""
    return _flat(
        {
            "id": instance.id,
            "workflow": instance.workflow,
            "tags": msgspec.json.encode(instance.tags).decode(),
            "initial": codec.dump(instance.context.initial).decode(),
            "unique_key": instance.unique_key,
        }
    )


def _progress(instance: Instance, codec: Codec) -> dict[str, str | None]:
    """Return the fields that every commit writes."""
    ready = [
        place_of(key, step.attempt)
        for key, step in instance.active.items()
        if step.state == "ready"
    ]
    updated, finished = instance.updated_at, instance.finished_at
    return {
        "status": instance.status,
        "state": codec.dump_state(instance).decode(),
        "updated": None if updated is None else keys.moment(updated),
        "finished": None if finished is None else keys.moment(finished),
        # Each in a line of its own, so that a script finds one by its text.
        "ready": "\n{}\n".format("\n".join(ready)) if ready else None,
    }


def _flat(fields: Mapping[str, str | None]) -> list[str]:
    return [part for pair in fields.items() if pair[1] is not None for part in pair]  # type: ignore[misc]  # no None is left


def _results(results: Mapping[str, bytes]) -> list[str]:
    return [part for key, raw in results.items() for part in (f"result:{key}", raw.decode())]


def _results_of(fields: Fields) -> Iterable[tuple[str, bytes]]:
    for field, raw in fields.items():
        if field.startswith(_RESULT):
            yield field.removeprefix(_RESULT).decode(), raw
