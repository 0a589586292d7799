"""Whatever happens to a run, in whatever order: what holds for all workflows."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
from hypothesis import given, note

from engine.models import DONE, Model, models
from engine.oracle import outlook
from engine.simulation import Simulation
from engine.tape import Tape, tapes
from hephaestus.instance import Instance


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


def _without_revision(instance: Instance) -> Instance:
    return msgspec.structs.replace(instance, revision=0)


def wander(
    simulation: Simulation, tape: Tape, *, mischief: bool = False, retries: bool = True
) -> None:
    """Make random moves until the tape is over or the run is complete."""
    while not tape.over and DONE not in simulation.instance.finished:
        move(simulation, tape, mischief=mischief, retries=retries)


def move(
    simulation: Simulation, tape: Tape, *, mischief: bool = False, retries: bool = True
) -> None:
    moves = _moves(simulation, tape)
    if mischief:
        moves.append(("stray", lambda: simulation.stray(tape)))
    if retries and simulation.instance.status == "failed":
        moves.append(("retry", lambda: simulation.retry(tape.below(4))))
    name, act = tape.one([("nothing", lambda: None), *moves])
    if name != "nothing":
        note(f"{name} at revision {simulation.instance.revision}")
    act()


def _moves(simulation: Simulation, tape: Tape) -> list[tuple[str, Callable[[], object]]]:
    it = simulation
    moves: list[tuple[str, Callable[[], object]]] = [
        ("advance", lambda: it.advance(tape.below(4), tape.below(2))),
        ("a second passes", lambda: it.pass_time(it.now + timedelta(seconds=1))),
    ]
    if it.executing:
        moves += [
            ("execute", lambda: it.execute(tape.one(it.executing))),
            ("execute", lambda: it.execute(tape.one(it.executing))),
            ("expire", lambda: it.expire(tape.one(it.executing))),
            ("release", lambda: it.release(tape.one(it.executing))),
        ]
        if len(it.instance.active) == 1 and not it.inbox:
            moves.append(("deliver alone", lambda: it.deliver_alone(it.executing[0])))
    if it.claimable:
        moves.append(("claim", lambda: it.claim(tape.one(it.claimable))))
    if it.strays:
        moves.append(("late", lambda: it.execute(tape.one(it.strays))))
    if it.outcomes:
        moves.append(("again", lambda: it.post(tape.one(it.outcomes))))
    answerable = [k for k, n in it.model.nodes.items() if n.plan.needs_answer]
    if answerable:
        moves.append(("answer", lambda: it.answer(tape.one(answerable))))
    if (at := it.next_time) is not None:
        moves.append(("time passes", lambda: it.pass_time(at)))
    return moves


def go_on(simulation: Simulation) -> None:
    """Do what a fair world does: look when the run is due, work, answer, wait, retry."""
    for _ in range(100 + 60 * len(simulation.model.nodes)):
        instance = simulation.instance
        standing = [k for k, s in instance.active.items() if s.state != "ready"]
        unanswered = [
            k for k in standing
            if simulation.lacks_answer(k)
            and (simulation.model.nodes[k].plan.needs_answer or instance.active[k].halt)
        ]
        if instance.status in ("completed", "cancelled"):
            return
        if instance.status == "failed":
            simulation.retry()
        elif simulation.is_due:
            simulation.advance(leased=9)
        elif simulation.executing:
            simulation.execute(simulation.executing[0])
        elif unanswered:
            simulation.answer(unanswered[0])
        else:
            at = simulation.next_time
            assert at is not None, "nothing will ever happen"
            simulation.pass_time(at)
    raise AssertionError("it does not end")
