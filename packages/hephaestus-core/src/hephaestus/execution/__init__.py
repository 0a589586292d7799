"""The loop that all runners share: advance, claim, execute, commit."""

from hephaestus.execution.keeper import Held, LeaseKeeper
from hephaestus.execution.lookout import Lookout
from hephaestus.execution.loop import Execution
from hephaestus.execution.messages import cancel_message, event_message, pending
from hephaestus.execution.placed import Choice, Dispatcher, Placed
from hephaestus.execution.requests import Requests
from hephaestus.execution.tasks import failure_of, stop

__all__ = [
    "Choice",
    "Dispatcher",
    "Execution",
    "Held",
    "LeaseKeeper",
    "Lookout",
    "Placed",
    "Requests",
    "cancel_message",
    "event_message",
    "failure_of",
    "pending",
    "stop",
]
