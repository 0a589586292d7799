"""The storage protocol keeps its promises, whatever dies, stalls or gets lost in between.

Each seed is a world of its own: see `simulation`. HEPHAESTUS_SEEDS says how many worlds there are,
HEPHAESTUS_FIRST_SEED where they begin; a seed that fails tells its story and can be told again
with both.
"""

import os
from collections import Counter

import pytest
from protocol.simulation.model import Report, silence, simulate
from protocol.simulation.scenarios import SCENARIOS

_BLOCK = 100
_FIRST = int(os.environ.get("HEPHAESTUS_FIRST_SEED", "0"))
_COUNT = int(os.environ.get("HEPHAESTUS_SEEDS", "2000"))
_BLOCKS = [
    range(start, min(start + _BLOCK, _FIRST + _COUNT))
    for start in range(_FIRST, _FIRST + _COUNT, _BLOCK)
]


@pytest.mark.parametrize("seeds", _BLOCKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_every_world_keeps_the_promises(seeds: range) -> None:
    with silence():
        reports = [simulate(seed) for seed in seeds]

    broken = [report for report in reports if report.violation is not None]
    assert not broken, f"{len(broken)} worlds are broken; the first:\n{broken[0]}"


def test_the_worlds_see_every_kind_of_trouble() -> None:
    with silence():
        reports = [simulate(seed) for seed in range(250)]

    story = "\n".join(line for report in reports for line in report.world.trace())
    assert [] == [trouble for trouble in _TROUBLES if trouble not in story]
    assert set() == {s.__name__ for s in SCENARIOS} - {s for r in reports for s in r.scenarios}


def test_steps_are_executed_again_for_every_reason_that_there_is() -> None:
    with silence():
        reports = [simulate(seed) for seed in range(250)]

    assert {"ended", "failed", "lost", "released", "resumed", "retried"} == set(_reasons(reports))


def test_in_a_calm_world_nothing_is_lost_or_given_back() -> None:
    with silence():
        reports = [simulate(seed) for seed in range(500)]

    calm = [report for report in reports if report.weather == "calm"]
    assert calm
    assert {"ended", "failed", "resumed", "retried"} >= set(_reasons(calm))


def test_the_same_seed_tells_the_same_story() -> None:
    with silence():
        first, second = ([str(simulate(seed)) for seed in range(20)] for _ in range(2))

    assert first == second


_TROUBLES = (
    "adopt", "arrives late", "answer lost", "cancelled None", "claim: ", "closes", "commit again",
    "commit: refused", "delayed", "dies", "dropped", "gets lost", "goes on", "halted", "has closed",
    "is connected again", "is cut off", "known", "lost: 1", "opens as worker", "outage", "release ",
    "retried", "sent 0 times", "sent 2 times", "slow", "stalls", "StaleInstance", "withdraw False",
    "withdraw True", "-> False",
)  # fmt: skip


def _reasons(reports: list[Report]) -> Counter[str]:
    return sum((report.reasons for report in reports), Counter())
