"""The end of every path."""

from hephaestus.instance import DONE
from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Step


class Done(Step):
    """Completes the run; the only step that no transition leaves."""

    key = DONE
    events = ("done",)
    settled = True
    ends = True

    def execute(self, ctx: StepContext) -> object:  # noqa: ARG002  # every step is given it
        """End with `done`."""
        return "done"

    def takes(self, event: str) -> str | None:  # noqa: ARG002  # every step is asked so
        """Take no event: it never waits."""
        return None
