"""The ends of the tasks in which a runner executes steps."""

import asyncio
import logging

from hephaestus.errors import HephaestusError

_log = logging.getLogger("hephaestus.runner")
_STUBBORN = 5.0
"""How many seconds a cancelled body has to come to its end."""


async def stop(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks, and leave those behind that do not heed it."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=_STUBBORN)
        for task in stubborn:
            _log.warning("%s does not heed its cancellation and is left behind", task.get_name())


def log_failure(task: "asyncio.Task[None]") -> BaseException | None:
    """Log what a task that is done has raised, and return it."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, HephaestusError):
        _log.warning("a step could not be carried through: %s", error)
    elif error is not None:
        _log.error("a step could not be carried through", exc_info=error)
    return error
