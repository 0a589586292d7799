"""`prune` and `migrate`: looking after a storage."""

import asyncio
import re
from datetime import timedelta
from typing import Any, cast

import click

from hephaestus.app import Hephaestus
from hephaestus.cli.opened import opened, with_storage
from hephaestus.cli.output import counted, put, takes_json
from hephaestus.cli.target import find_app, takes_app
from hephaestus.instance import TERMINAL
from hephaestus.storage import HasSchema, Storage

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BATCH = 1000


def _age(_: click.Context, option: click.Parameter, text: str) -> timedelta:
    """Return a span of time that is written as `7d`."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if match is None:
        raise click.BadParameter(
            f"{text!r} is no age; write it as 30m, 12h, 7d or 2w", param=option
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command()
@click.option("--older-than", required=True, callback=_age, help="Since its end, as 12h, 7d or 2w.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice(sorted(TERMINAL)),
    help="May be repeated; default: all of them.",
)
@takes_app
@takes_json
def prune(
    *,
    app: str | None,
    older_than: timedelta,
    status: tuple[Any, ...],
    as_json: bool,
) -> None:
    """Delete runs that have ended, with all that belongs to them.

    Failed runs are among them, which might have been retried: --status completed --status
    cancelled spares those.
    """

    async def work(found: Hephaestus, storage: Storage) -> int:
        before, total = found.clock.now() - older_than, 0
        while True:
            count = await storage.prune(before, statuses=status or None, limit=_BATCH)
            total += count
            if count < _BATCH:
                return total

    count = with_storage(app, work)
    put({"pruned": count}, f"{counted(count, 'run')} deleted", as_json=as_json)


@click.command()
@click.option("--to", type=click.IntRange(0), metavar="N", help="The version; default: the latest.")
@click.option("--yes", is_flag=True, help="Do not ask, even where tables are dropped.")
@takes_app
@takes_json
def migrate(
    *,
    app: str | None,
    to: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring the storage's schema to a version; 0 drops all that is stored."""
    storage = find_app(app).storage
    name = type(storage).__name__
    # Not by isinstance: a storage may pass on the verbs of another.
    if getattr(storage, "migrate", None) is None:
        put({"storage": name, "migrated": False}, f"{name} has no schema", as_json=as_json)
        return
    if to == 0 and not yes:
        click.confirm("this drops every run and its history; go on?", abort=True, err=True)

    async def work() -> None:
        await cast("HasSchema", storage).migrate(to)
        if to is None:
            # What it is for: this code can use it.
            async with opened(storage):
                pass

    asyncio.run(work())
    version = "the latest version" if to is None else f"version {to}"
    put(
        {"storage": name, "migrated": True, "to": to},
        f"the schema of {name} is at {version}",
        as_json=as_json,
    )
