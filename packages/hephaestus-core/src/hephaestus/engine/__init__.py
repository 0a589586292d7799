"""The engine: pure functions that move an instance from one revision to the next."""

from hephaestus.engine.advance import advance, retry
from hephaestus.engine.closing import cancel, is_cancelled
from hephaestus.engine.effects import Advanced, Transition, Waited
from hephaestus.engine.events import bind, goes_on
from hephaestus.engine.handout import dispatch_until, hand_out, leased_until, wake_at
from hephaestus.engine.visible import step_context

__all__ = [
    "Advanced",
    "Transition",
    "Waited",
    "advance",
    "bind",
    "cancel",
    "dispatch_until",
    "goes_on",
    "hand_out",
    "is_cancelled",
    "leased_until",
    "retry",
    "step_context",
    "wake_at",
]
