"""A pause until something happens outside."""

from collections.abc import Sequence

from hephaestus.duration import Duration, parse
from hephaestus.errors import InvalidArgument
from hephaestus.outcome import Suspend
from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Step, as_step
from hephaestus.steps.names import is_event_name


class WaitForEvent(Step):
    """Waits for an event of its name, then ends with `received`, the payload as its data.

    With a timeout it ends with `timeout` where the event did not come in time. From outside it
    takes `received` as well, and `timeout` where it has one: then it ends as that says, at once.
    """

    key = "wait_for_event"
    events: Sequence[str] = ("received",)
    settled = True

    def __init__(self, name: str, timeout: Duration | None = None, key: str | None = None) -> None:
        """Take the event's name, which is the key too unless one is given."""
        if not is_event_name(name) or name == "timeout":
            raise InvalidArgument(
                f"WaitForEvent takes the name of an event other than 'timeout', got {name!r}"
            )
        # A member of an enum of texts becomes a plain one, as in `events`.
        self.name = name = str.__str__(name)
        self.patience = None if timeout is None else parse(timeout, "timeout")
        self.events = ("received",) if timeout is None else ("received", "timeout")
        self.key = name if key is None else key
        as_step(self)

    def execute(self, ctx: StepContext) -> object:  # noqa: ARG002  # every step is given it
        """Suspend until the event or the timeout comes."""
        return Suspend(self.patience)

    def takes(self, event: str) -> str | None:
        """Take its own name as `received`, and the events that it declares."""
        return "received" if event == self.name else super().takes(event)
