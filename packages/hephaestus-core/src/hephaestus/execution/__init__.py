"""The loop that all runners share: advance, claim, execute, commit."""

from hephaestus.execution.keeper import Held, LeaseKeeper
from hephaestus.execution.lookout import Lookout
from hephaestus.execution.loop import Execution
from hephaestus.execution.messages import cancel_message, event_message, pending
from hephaestus.execution.placed import Choice, Dispatcher, Placed
from hephaestus.execution.tasks import log_failure, stop
from hephaestus.execution.verbs import RunnerVerbs

__all__ = [
    "Choice",
    "Dispatcher",
    "Execution",
    "Held",
    "LeaseKeeper",
    "Lookout",
    "Placed",
    "RunnerVerbs",
    "cancel_message",
    "event_message",
    "log_failure",
    "pending",
    "stop",
]
