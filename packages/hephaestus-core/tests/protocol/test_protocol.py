"""The storage protocol keeps its promises, whatever dies, stalls or gets lost in between.

Each seed is a world of its own: see `simulation`. HEPHAESTUS_SEEDS says how many worlds there are,
HEPHAESTUS_FIRST_SEED where they begin; a seed that fails tells its story.
"""

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest

from protocol.simulation.model import silence, simulate
from protocol.simulation.scenarios import SCENARIOS
from protocol.simulation.weather import CALM

_FIRST = int(os.environ.get("HEPHAESTUS_FIRST_SEED", "0"))
_LAST = _FIRST + int(os.environ.get("HEPHAESTUS_SEEDS", "2000"))
_BLOCK = 100
_BLOCKS = [range(seed, min(seed + _BLOCK, _LAST)) for seed in range(_FIRST, _LAST, _BLOCK)]
_TROUBLES = (
    "adopt", "arrives late", "answer lost", "cancelled None", "claim: ", "closes", "commit again",
    "commit: refused", "delayed", "dies", "dropped", "gets lost", "goes on", "halted", "has closed",
    "is connected again", "is cut off", "known", "loses its leases", "lost ", "opens as worker",
    "outage", "release ", "retried", "sent 0 times", "sent 2 times", "slow", "stalls",
    "StaleInstance", "withdraw False", "withdraw True", "-> False",
)  # fmt: skip


@dataclass
class Chronicle:
    """What many worlds have seen."""

    troubles: set[str] = field(default_factory=set)
    scenarios: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def chronicle() -> Chronicle:
    found = Chronicle()
    with silence():
        for seed in range(200):
            report = simulate(seed)
            story = str(report)
            found.troubles.update(trouble for trouble in _TROUBLES if trouble in story)
            found.scenarios.update(report.scenarios)
            found.reasons.update(report.reasons)
    return found


@pytest.mark.parametrize("seeds", _BLOCKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_every_world_keeps_the_promises(seeds: range) -> None:
    with silence():
        for seed in seeds:
            report = simulate(seed)

            assert report.violation is None, str(report)


def test_in_a_calm_world_no_step_is_lost_or_given_back() -> None:
    reasons: Counter[str] = Counter()

    with silence():
        for seed in range(100):
            reasons.update(simulate(seed, weather=CALM).reasons)

    assert {"ended", "failed", "resumed", "retried"} >= set(reasons)


def test_the_worlds_see_every_kind_of_trouble(chronicle: Chronicle) -> None:
    assert set(_TROUBLES) == chronicle.troubles


def test_every_scenario_is_played(chronicle: Chronicle) -> None:
    assert {scenario.__name__ for scenario in SCENARIOS} == chronicle.scenarios


def test_steps_are_executed_again_for_every_reason_that_there_is(chronicle: Chronicle) -> None:
    assert {"ended", "failed", "lost", "released", "resumed", "retried"} == set(chronicle.reasons)


def test_the_same_seed_tells_the_same_story() -> None:
    with silence():
        first, second = ([str(simulate(seed)) for seed in range(20)] for _ in range(2))

    assert first == second
