"""Tags and metadata of messages, for dashboards, logs and middlewares."""

from functools import lru_cache
from typing import Any

import msgspec

from hephaestus import registry
from hephaestus.instance import Instance
from hephaestus.steps.names import default_key

_LARGEST = 16 * 1024
"""Bytes of metadata, encoded, beyond which a message carries only what names its run."""


def labels(
    instance: Instance, step: str | None = None, *, users: bool, returned: bool = False
) -> dict[str, Any]:
    """Return the message options `tags` and `meta`.

    In `meta` the workflow's metadata give way to what steps of the run returned as metadata, and
    both to what names the run.

    Args:
        users: Show metadata of the user's; without, a broker sees names alone.
        returned: Show what steps returned as metadata, too.
    """
    name, declared = _of_workflow(instance.workflow, instance.workflow_version)
    system = {
        "workflow": name,
        "instance_id": instance.id,
        "run_id": instance.run_id,
        "workflow_version": instance.workflow_version,
    }
    if step is not None:
        system["step"] = step
    meta = system
    if users and declared:
        meta = {**declared, **system}
    if users and returned and instance.runtime_metadata:
        whole = {**declared, **_plain(instance.runtime_metadata), **system}
        if len(msgspec.json.encode(whole)) <= _LARGEST:
            meta = whole
    return {"tags": list(dict.fromkeys((name, *instance.tags))), "meta": meta}


@lru_cache(maxsize=1024)
def _of_workflow(workflow: str, version: int) -> tuple[str, dict[str, Any]]:
    """Return a workflow's short name, that of its umbrella if it has one, and its metadata."""
    found = registry.find(workflow, version)
    metadata = _plain(found.metadata)
    if len(msgspec.json.encode(metadata)) > _LARGEST:
        metadata = {}
    return default_key(found.family.rpartition(".")[2]), metadata


def _plain(metadata: Any) -> dict[str, Any]:
    """Return metadata as any encoder of messages can write it."""
    plain: dict[str, Any] = msgspec.to_builtins(metadata, str_keys=True, enc_hook=str)
    return plain
