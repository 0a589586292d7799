"""`resume`, `cancel` and `retry`: what is asked of a run, stored for its workers."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import msgspec

from hephaestus.app import Hephaestus
from hephaestus.cli.opened import with_app
from hephaestus.cli.output import put, takes_json
from hephaestus.cli.target import takes_app
from hephaestus.instance import Instance

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Verb = Callable[[Hephaestus, str], Awaitable[None]]


def _takes_run(command: _Command) -> _Command:
    """Let a command say which run it means."""
    for option in (
        click.option("--version", type=int, help="The version of the workflow, likewise."),
        click.option("--workflow", help="The name of the workflow, where the id fits several."),
        click.argument("id_", metavar="ID"),
    ):
        command = option(command)
    return command


@click.command()
@_takes_run
@click.argument("event", required=False)
@click.option("--payload", metavar="JSON", help="An object; - reads it from standard input.")
@click.option("--step", help="Which step is meant, where several could take the event.")
@click.option("--dedup-key", help="A second event of this key changes nothing.")
@takes_app
@takes_json
def resume(
    *,
    id_: str,
    event: str | None,
    payload: str | None,
    step: str | None,
    dedup_key: str | None,
    **given: Any,
) -> None:
    """Send an event to a run, or without one the default answer of a halt."""
    content = _payload(payload)

    async def verb(app: Hephaestus, run_id: str) -> None:
        await app.resume(run_id, event, content, step=step, dedup_key=dedup_key)

    what = f"the event {event!r}" if event else "the default answer"
    _steer(id_, verb, f"{what} is kept for", **given)


@click.command()
@_takes_run
@takes_app
@takes_json
def cancel(*, id_: str, **given: Any) -> None:
    """Stop a run for good."""
    _steer(id_, lambda app, run_id: app.cancel(run_id), "cancelled", **given)


@click.command()
@_takes_run
@takes_app
@takes_json
def retry(*, id_: str, **given: Any) -> None:
    """Take a failed run up again, from the step that failed."""
    _steer(id_, lambda app, run_id: app.retry(run_id), "taken up again:", **given)


def _steer(
    id_: str,
    verb: _Verb,
    done: str,
    *,
    workflow: str | None,
    version: int | None,
    app: str | None,
    as_json: bool,
) -> None:
    async def work(opened: Hephaestus) -> Instance:
        found = await opened.storage.get(id_, workflow=workflow, version=version, history=False)
        await verb(opened, found.run_id)
        return await opened.storage.get(found.run_id, history=False)

    run = with_app(app, work)
    document = {"id": run.id, "run_id": run.run_id, "status": run.status}
    put(document, f"{done} {run.id} (run {run.run_id})", as_json=as_json)


def _payload(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return msgspec.json.decode(sys.stdin.read() if text == "-" else text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise click.UsageError(f"--payload is no JSON object: {error}") from error
