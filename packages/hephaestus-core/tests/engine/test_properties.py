"""Whatever happens to a run, in whatever order: what holds for all workflows."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, note

from engine.models import DONE, Model, models
from engine.oracle import Walk, outlook, takers
from engine.runs import NOW, begun, ended, message, posted
from engine.simulation import Simulation
from engine.tape import Tape, tapes
from engine.world import go_on, move, wander
from hephaestus.engine import advance, bind
from hephaestus.errors import AmbiguousEvent, UnknownEvent
from hephaestus.instance import Instance

# It is a failure that takes long: hypothesis looks for its simplest form.
pytestmark = pytest.mark.timeout(3600)


@given(models(), tapes(300))
def test_a_run_comes_to_the_end_that_its_steps_lead_to_in_whatever_order_they_end(
    model: Model, tape: Tape
) -> None:
    note(repr(model))
    simulation = Simulation(model)
    expected = outlook(model)

    wander(simulation, tape)
    go_on(simulation)

    assert "completed" == simulation.instance.status
    assert expected.results == simulation.instance.context.steps
    assert expected.skipped == simulation.instance.skipped_steps
    assert expected.metadata == simulation.instance.runtime_metadata


@given(models(), tapes(300))
def test_under_any_mischief_the_laws_hold_and_the_run_completes(model: Model, tape: Tape) -> None:
    note(repr(model))
    simulation = Simulation(model)

    wander(simulation, tape, mischief=True)
    go_on(simulation)

    assert "completed" == simulation.instance.status
    assert DONE in simulation.instance.completed_steps


@given(models(), tapes(200), tapes(100))
def test_a_cancel_ends_a_run_at_any_point_and_nothing_brings_it_back(
    model: Model, tape: Tape, aftermath: Tape
) -> None:
    note(repr(model))
    simulation = Simulation(model)
    wander(simulation, tape, mischief=True)
    status = simulation.instance.status if simulation.instance.is_finished else "cancelled"

    simulation.cancel()
    simulation.advance()
    ended = simulation.instance
    wander(simulation, aftermath, mischief=True, retries=False)
    simulation.advance()

    assert status == simulation.instance.status
    assert _without_revision(ended) == _without_revision(simulation.instance)


@given(models(), tapes(300), tapes(60))
def test_nothing_changes_a_completed_run(model: Model, tape: Tape, aftermath: Tape) -> None:
    simulation = Simulation(model)
    wander(simulation, tape)
    go_on(simulation)
    simulation.advance()
    completed = simulation.instance

    simulation.cancel()
    while not aftermath.over:
        move(simulation, aftermath, mischief=True)
    simulation.advance()

    assert _without_revision(completed) == _without_revision(simulation.instance)
    assert [] == simulation.inbox


@given(models(largest=40), tapes(60))
def test_what_starts_and_what_is_skipped_is_what_the_definition_says(
    model: Model, tape: Tape
) -> None:
    model = replace(model, arrows=tuple(replace(arrow, faults=0) for arrow in model.arrows))
    note(repr(model))
    workflow, walk = model.workflow, Walk(model)
    instance = begun(workflow)

    while instance.active:
        key = tape.one(sorted(instance.active))
        event = tape.one(model.nodes[key].events)
        step = instance.active[key]
        works = step.state == "ready"
        body = ended(key, event, attempt=step.attempt) if works else posted(key, event)
        instance = advance(instance, workflow, NOW, inbox=[message(body)]).instance
        walk.end(key, event)

        standing = walk.standing
        assert standing.active - {DONE} == instance.active_steps
        assert standing.skipped == instance.skipped_steps
        assert (DONE in standing.active) == (instance.status == "completed")


@given(models(), tapes(150))
def test_an_event_is_bound_at_any_point_as_the_definition_says(model: Model, tape: Tape) -> None:
    note(repr(model))
    simulation = Simulation(model)
    wander(simulation, tape)
    if simulation.instance.status == "completed":
        return

    events = {event for node in model.nodes.values() for event in (*node.events, node.answer)}
    for event in sorted(events | model.nodes.keys() | {"unheard of"}):
        expected = takers(model, simulation.instance, event)
        try:
            found = [bind(simulation.instance, simulation.workflow, event, None).step]
        except AmbiguousEvent as error:
            found = [*error.steps]
        except UnknownEvent:
            found = []

        assert sorted(expected) == found


def _without_revision(instance: Instance) -> Instance:
    return msgspec.structs.replace(instance, revision=0)
