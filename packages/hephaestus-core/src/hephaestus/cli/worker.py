"""`run`: a worker process."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import click
import msgspec

from hephaestus import registry
from hephaestus.app import Hephaestus
from hephaestus.cli.output import takes_json
from hephaestus.cli.target import find_app, takes_app
from hephaestus.local import LocalRunner

_BROKERS = {"dramatiq": "`dramatiq {module}`"}
"""What starts the workers of a runner that executes steps elsewhere, by the runner's name."""


@click.command()
@takes_app
@takes_json
def run(*, app: str | None, as_json: bool) -> None:
    """Execute what is due, until SIGTERM or SIGINT; then let running steps end.

    Any number of these processes share the work of one durable storage. A second signal does not
    wait for running steps.
    """
    found = find_app(app)
    _check(found, str(app).partition(":")[0])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_serve(found, as_json=as_json))


def _check(app: Hephaestus, module: str) -> None:
    if not isinstance(app.runner, LocalRunner):
        command = _BROKERS.get(app.runner.name, "the command that its runner comes with")
        raise click.ClickException(
            f"the steps of this app are executed by the workers of {type(app.runner).__name__}; "
            f"start them with {command.format(module=module)}"
        )
    if not app.storage.durable:
        raise click.ClickException(
            f"{type(app.storage).__name__} ends with its process, so another one has no work "
            "for it; use a durable storage, as of hephaestus-postgres or hephaestus-redis"
        )
    if not registry.known(app.name):
        raise click.ClickException(
            f"module {module!r} defines no workflow for the app {app.name!r}, nor imports one, so "
            "there is nothing to execute; import the modules with your workflows there"
        )


async def _serve(app: Hephaestus, *, as_json: bool) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    _on_signals(on_signal)
    # A storage may keep one waiting, and its driver for long.
    if await _is_done_before(stop, app.open()):
        _tell("running", f"{app.name} runs; SIGTERM or Ctrl-C stops it", app, as_json=as_json)
        await stop.wait()
        _tell("stopping", "stopping; running steps may end", app, as_json=as_json)
        if not await _is_done_before(hurry, app.close()):
            raise click.ClickException("stopped before running steps ended")
    _tell("stopped", "stopped", app, as_json=as_json)


async def _is_done_before(call: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do something, and tell whether it came to its end; a call that comes first cancels it."""
    working, called = asyncio.create_task(work), asyncio.create_task(call.wait())
    await asyncio.wait({working, called}, return_when=asyncio.FIRST_COMPLETED)
    called.cancel()
    if not working.done():
        working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        return False
    return True


def _on_signals(act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, act)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _tell(state: str, text: str, app: Hephaestus, *, as_json: bool) -> None:
    # One line each, since they are read as they come.
    document = msgspec.json.encode({"state": state, "app": app.name}).decode()
    click.echo(document if as_json else text)
