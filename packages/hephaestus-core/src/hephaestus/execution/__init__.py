"""The loop that all runners share: advance, claim, execute, commit."""

from hephaestus.execution.keeper import Held, LeaseKeeper
from hephaestus.execution.loop import Choice, Dispatcher, Execution, Placed
from hephaestus.execution.messages import cancel_message, event_message, pending

__all__ = [
    "Choice",
    "Dispatcher",
    "Execution",
    "Held",
    "LeaseKeeper",
    "Placed",
    "cancel_message",
    "event_message",
    "pending",
]
