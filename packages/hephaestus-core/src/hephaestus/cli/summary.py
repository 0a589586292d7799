"""Runs and what belongs to them, as documents and as lines; data only where asked for."""

from collections.abc import Iterable
from typing import Any

from hephaestus.cli.output import table
from hephaestus.instance import Entry, Instance, StepError
from hephaestus.message import EventPosted, Message
from hephaestus.storage import Lease


def run_document(instance: Instance, *, data: bool = False) -> dict[str, Any]:
    """Return a run as a document."""
    document: dict[str, Any] = {
        "id": instance.id,
        "run_id": instance.run_id,
        "workflow": instance.workflow,
        "workflow_version": instance.workflow_version,
        "status": instance.status,
        "active_steps": sorted(instance.active_steps),
        "waiting_steps": sorted(instance.waiting_steps),
        "completed_steps": sorted(instance.completed_steps),
        "skipped_steps": sorted(instance.skipped_steps),
        "current_step": instance.current_step,
        "tags": instance.tags,
        "error": _error(instance.error),
        "halt_prompt": instance.halt_prompt,
        "created_at": instance.created_at,
        "updated_at": instance.updated_at,
        "finished_at": instance.finished_at,
        "revision": instance.revision,
    }
    if data:
        document |= {
            "initial": instance.context.initial,
            "steps": instance.context.steps,
            "result": instance.result,
            "halt_data": instance.halt_data,
            "runtime_metadata": instance.runtime_metadata,
            "telemetry_metadata": instance.telemetry_metadata,
        }
    return document


def entry_document(entry: Entry, *, data: bool = False) -> dict[str, Any]:
    """Return a line of history as a document."""
    document: dict[str, Any] = {
        "timestamp": entry.timestamp,
        "step": entry.step,
        "action": entry.action,
        "event": entry.event,
        "attempt": entry.attempt,
        "duration": entry.duration,
        "error": _error(entry.error),
    }
    return document | {"input": entry.input, "output": entry.output} if data else document


def lease_document(lease: Lease) -> dict[str, Any]:
    """Return a lease as a document."""
    return {
        "step": lease.step,
        "attempt": lease.attempt,
        "owner": lease.owner.name or lease.owner.incarnation,
        "until": lease.until,
        "released": lease.released,
    }


def message_document(message: Message, *, data: bool = False) -> dict[str, Any]:
    """Return a message of the inbox as a document."""
    body = message.body
    document: dict[str, Any] = {
        "id": message.id,
        "kind": type(body).__struct_config__.tag,
        "step": getattr(body, "step", None),
        "event": getattr(body, "event", None),
        "not_before": message.not_before,
        "seen": message.seen,
    }
    return (
        document | {"payload": body.payload} if data and isinstance(body, EventPosted) else document
    )


def run_table(instances: Iterable[Instance]) -> list[str]:
    """Return runs as lines with columns."""
    heads = ("ID", "RUN", "WORKFLOW", "VERSION", "STATUS", "CREATED", "STEPS")
    rows = [
        (
            each.id,
            each.run_id,
            each.workflow,
            each.workflow_version,
            each.status,
            each.created_at.isoformat(" ", "seconds"),
            ", ".join(sorted(each.active)) or "-",
        )
        for each in instances
    ]
    return table(heads, rows) if rows else ["no run fits"]


def _error(error: StepError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "step": error.step,
        "type": error.type,
        "message": error.message,
        "attempt": error.attempt,
    }
