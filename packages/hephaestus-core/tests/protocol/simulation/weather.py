"""What goes wrong in a world, and how often."""

import random
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Weather:
    """The chance of each fault; a calm sky by default."""

    refuse: float = 0.0
    """A verb fails before it had an effect."""

    lose_answer: float = 0.0
    """A verb fails after it took effect."""

    delay: float = 0.0
    """A verb fails, and takes effect later, or never."""

    crash_before: float = 0.0
    crash_after: float = 0.0
    crash_meanwhile: float = 0.0
    """The process dies; its verb still takes effect later, or never."""

    slow: float = 0.0
    """Time passes while a verb is under way."""

    stall: float = 0.0
    """At each look: a process stands still for a while."""

    cut: float = 0.0
    """At each look: a process does not reach the storage for a while."""

    outage: float = 0.0
    """At each look: nobody reaches the storage for a while."""

    crash: float = 0.0
    """At each look: a process dies, whatever it is doing."""

    deploy: float = 0.0
    """At each look: a process is closed in order, and its next incarnation starts."""

    drop: float = 0.0
    """The broker loses a message."""

    double: float = 0.0
    """The broker delivers a message twice."""

    hold: float = 0.0
    """The broker keeps a message for a while."""

    def __str__(self) -> str:
        chances = {f.name: getattr(self, f.name) for f in fields(self)}
        return ", ".join(f"{k} {v:g}" for k, v in chances.items() if v) or "calm"


CALM = Weather()
_VERB_FAULTS = (
    "refuse", "lose_answer", "delay", "crash_before", "crash_after", "crash_meanwhile", "slow",
)  # fmt: skip
_LOOK_FAULTS = ("stall", "cut", "outage", "crash", "deploy")


def forecast(dice: random.Random) -> Weather:
    """Draw a weather: often a few kinds of faults that come thick, sometimes all or none."""
    if dice.random() < 0.1:
        return CALM
    share = dice.choice((0.15, 0.3, 0.6, 1.0))
    chances = {"drop": dice.choice((0.0, 0.2, 0.6)), "double": dice.choice((0.0, 0.3))}
    chances["hold"] = dice.choice((0.0, 0.3))
    for name in _VERB_FAULTS:
        if dice.random() < share:
            chances[name] = dice.choice((0.01, 0.03, 0.1))
    for name in _LOOK_FAULTS:
        if dice.random() < share:
            chances[name] = dice.choice((0.05, 0.15, 0.4))
    return Weather(**chances)
