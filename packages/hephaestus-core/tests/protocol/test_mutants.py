"""The model can fail: each storage that breaks a rule is found out within some worlds."""

import pytest

from hephaestus.memory import MemoryStorage
from protocol.simulation import mutants, scenarios
from protocol.simulation.model import silence, simulate
from protocol.simulation.scenarios import SCENARIOS, Scenario

_ENOUGH = 2000
_WHERE_IT_SHOWS: dict[type[MemoryStorage], tuple[Scenario, ...]] = {
    mutants.ClaimsDespiteTheAttempt: (scenarios.a_line, scenarios.a_fan, scenarios.a_flaky_step),
    mutants.ClaimsDespiteTheOutcome: (scenarios.a_fan, scenarios.a_meeting),
    mutants.CommitsConsumeWhatIsGone: (scenarios.a_reminder,),
    mutants.MessagesComeInAnyOrder: (scenarios.a_question,),
    mutants.RenewalsNeverFail: (scenarios.a_fan, scenarios.a_repair),
}
"""Scenarios that need few worlds; all of them, for the others."""


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_storage_that_breaks_a_rule_is_found_out(mutant: type[MemoryStorage]) -> None:
    choice = _WHERE_IT_SHOWS.get(mutant, SCENARIOS)

    with silence():
        found = any(simulate(seed, mutant, scenarios=choice).violation for seed in range(_ENOUGH))

    assert found, f"{mutant.__name__} was not found out in {_ENOUGH} worlds: {mutant.__doc__}"
