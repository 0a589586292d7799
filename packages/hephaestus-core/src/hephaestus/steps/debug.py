"""A look at what a run knows."""

import logging

from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Step, as_step

_log = logging.getLogger(__name__)


class Debug(Step):
    """Logs the initial data and the results so far at DEBUG, then ends with `completed`."""

    key = "debug"
    events = ("completed",)

    def __init__(self, key: str = "debug") -> None:
        """Take a key; two of them in one workflow need two."""
        self.key = key
        as_step(self)

    async def execute(self, ctx: StepContext) -> object:
        """Write the log line."""
        _log.debug("%s: initial %r, steps %r", ctx.instance.id, ctx.initial, ctx.steps)
        return "completed"
