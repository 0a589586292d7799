"""A pause that survives restarts."""

from hephaestus.duration import Duration, parse
from hephaestus.outcome import Suspend
from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Step, as_step


class Wait(Step):
    """Waits for a span of time, then ends with `timeout`."""

    key = "wait"
    events = ("timeout",)
    settled = True

    def __init__(self, duration: Duration, key: str = "wait") -> None:
        """Take the span as a timedelta or seconds; two waits in one workflow need two keys."""
        self.duration = parse(duration, "Wait(duration)")
        self.key = key
        as_step(self)

    def execute(self, ctx: StepContext) -> object:  # noqa: ARG002  # every step is given it
        """Suspend until the time has passed."""
        return Suspend(self.duration)
