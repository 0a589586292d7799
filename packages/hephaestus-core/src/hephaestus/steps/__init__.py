"""Steps: the contract, `@step`, and the built-in ones."""

from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Configured, Step, StepReference, as_step
from hephaestus.steps.debug import Debug
from hephaestus.steps.done import Done
from hephaestus.steps.function import FunctionStep, step
from hephaestus.steps.names import key_of
from hephaestus.steps.wait import Wait
from hephaestus.steps.wait_for_event import WaitForEvent

__all__ = [
    "Configured",
    "Debug",
    "Done",
    "FunctionStep",
    "Step",
    "StepContext",
    "StepReference",
    "Wait",
    "WaitForEvent",
    "as_step",
    "key_of",
    "step",
]
