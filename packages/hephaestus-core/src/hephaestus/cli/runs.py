"""`list` and `show`: reading runs."""

from typing import Any

import click

from hephaestus import engine
from hephaestus.app import Hephaestus
from hephaestus.cli.named import warn_if_unknown
from hephaestus.cli.opened import with_storage
from hephaestus.cli.output import put, takes_json
from hephaestus.cli.summary import (
    entry_document,
    lease_document,
    message_document,
    run_document,
    run_table,
)
from hephaestus.cli.target import takes_app
from hephaestus.instance import STATUSES, Instance
from hephaestus.standstill import reasons
from hephaestus.storage import Storage

_data = click.option("--data", is_flag=True, help="Print data as well, secrets and all.")


@click.command("list")
@click.option("--workflow", help="The name of a workflow; an umbrella means all its versions.")
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="May be repeated.")
@click.option("--tag", help="One of the tags.")
@click.option("--id", "id_", metavar="ID", help="The business id: all its runs.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--after", metavar="RUN", help="Go on after this run, the last one seen.")
@click.option("--oldest", is_flag=True, help="The oldest first; else the newest.")
@_data
@takes_app
@takes_json
def list_runs(
    *,
    app: str | None,
    status: tuple[str, ...],
    id_: str | None,
    oldest: bool,
    data: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List runs, the newest first."""
    filters |= {"id": id_, "status_in": status or None, "order": "oldest" if oldest else "newest"}
    given = {name: value for name, value in filters.items() if value is not None}
    found = with_storage(app, lambda _, storage: storage.query(**given))
    if not found and "workflow" in given:
        warn_if_unknown(given["workflow"])
    put([run_document(each, data=data) for each in found], run_table(found), as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--workflow", help="The name of the workflow, where the id fits several.")
@click.option("--version", type=int, help="The version of the workflow, likewise.")
@_data
@takes_app
@takes_json
def show(
    *,
    id_: str,
    workflow: str | None,
    version: int | None,
    app: str | None,
    data: bool,
    as_json: bool,
) -> None:
    """Show a run: its history, what it waits for, and why it is not moving.

    ID is a business id, as orderid::42, or a run id.
    """

    async def work(found: Hephaestus, storage: Storage) -> tuple[Instance, dict[str, Any]]:
        run_id = (await storage.get(id_, workflow=workflow, version=version, history=False)).run_id
        snapshot = await storage.load(run_id)
        instance = await storage.get(run_id)
        now = found.clock.now()
        return instance, {
            **run_document(instance, data=data),
            "wakes_at": engine.wake_at(instance, snapshot.inbox),
            "reasons": reasons(instance, snapshot, now),
            "leases": [lease_document(lease) for lease in snapshot.leases],
            "inbox": [message_document(message, data=data) for message in snapshot.inbox],
            "history": [entry_document(entry, data=data) for entry in instance.execution_history],
        }

    instance, document = with_storage(app, work)
    put(document, _lines(instance, document, data=data), as_json=as_json)


def _lines(instance: Instance, document: dict[str, Any], *, data: bool) -> list[str]:
    facts = {
        "run": instance.run_id,
        "workflow": f"{instance.workflow} version {instance.workflow_version}",
        "status": instance.status,
        "tags": ", ".join(instance.tags),
        "created": instance.created_at,
        "updated": instance.updated_at,
        "finished": instance.finished_at,
        "wakes": document["wakes_at"],
        "active": ", ".join(document["active_steps"]),
        "completed": ", ".join(document["completed_steps"]),
        "skipped": ", ".join(document["skipped_steps"]),
        "asks": instance.halt_prompt,
    }
    lines = [instance.id, *(f"  {name:<10}{value}" for name, value in facts.items() if value)]
    lines += _part("why it stands" if not instance.is_finished else "why", document["reasons"])
    lines += _part("leases", [_lease(lease) for lease in document["leases"]])
    lines += _part("inbox", [_message(message) for message in document["inbox"]])
    lines += _part("history", map(str, instance.execution_history))
    if data:
        names = ("initial", "steps", "result", "halt_data", "runtime_metadata")
        lines += _part("data", [f"{name}: {document[name]!r}" for name in names if document[name]])
    return lines


def _part(head: str, lines: Any) -> list[str]:
    indented = [f"    {line}" for line in lines]
    return [f"  {head}", *indented] if indented else []


def _lease(lease: dict[str, Any]) -> str:
    end = "given back" if lease["released"] else f"until {lease['until']}"
    return f"step {lease['step']!r}, attempt {lease['attempt']}, of {lease['owner']}, {end}"


def _message(message: dict[str, Any]) -> str:
    event = f" {message['event']!r}" if message["event"] else ""
    step = f" for step {message['step']!r}" if message["step"] else ""
    time = f", not before {message['not_before']}" if message["not_before"] else ""
    return f"{message['kind']}{event}{step}{time}{', kept' if message['seen'] else ''}"
