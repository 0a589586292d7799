"""The model can fail: each storage that breaks a rule is found out within some worlds."""

from typing import NamedTuple

import pytest

from hephaestus.memory import MemoryStorage
from protocol.simulation import mutants, scenarios
from protocol.simulation.model import silence, simulate
from protocol.simulation.scenarios import SCENARIOS, Scenario
from protocol.simulation.weather import Weather

_ENOUGH = 2000


class Place(NamedTuple):
    """Worlds of which few are needed."""

    scenarios: tuple[Scenario, ...] = SCENARIOS
    weather: Weather | None = None


_EVERYWHERE = Place()
_WHERE_IT_SHOWS: dict[type[MemoryStorage], Place] = {
    mutants.ClaimsDespiteTheAttempt: Place((scenarios.a_line, scenarios.a_flaky_step)),
    mutants.ClaimsDespiteTheOutcome: Place(
        (scenarios.a_fan, scenarios.a_meeting),
        Weather(slow=0.1, deploy=0.6, double=0.5, hold=0.6),
    ),
    mutants.CommitsFreeNothing: Place((scenarios.a_fan,), Weather(slow=0.05, deploy=0.6)),
    mutants.MessagesComeInAnyOrder: Place((scenarios.a_question,)),
    mutants.RenewalsNeverFail: Place((scenarios.a_fan, scenarios.a_repair)),
    mutants.WithdrawalsAreNoRevision: Place((scenarios.a_reminder,)),
}


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_storage_that_breaks_a_rule_is_found_out(mutant: type[MemoryStorage]) -> None:
    place = _WHERE_IT_SHOWS.get(mutant, _EVERYWHERE)

    with silence():
        found = any(
            simulate(seed, mutant, scenarios=place.scenarios, weather=place.weather).violation
            for seed in range(_ENOUGH)
        )

    assert found, f"{mutant.__name__} was not found out in {_ENOUGH} worlds: {mutant.__doc__}"
