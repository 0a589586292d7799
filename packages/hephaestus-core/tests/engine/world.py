"""What goes on around a run: anything at all, or what is fair."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import note

from engine.models import DONE
from engine.simulation import Simulation
from engine.tape import Tape


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
    chosen = tape.below(len(moves) + 1)
    if chosen > 0:
        name, act = moves[chosen - 1]
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
    if not tape.rarely(4):
        answerable = [key for key in answerable if it.lacks_answer(key)]
    if answerable:
        moves.append(("answer", lambda: it.answer(tape.one(answerable))))
    if (at := it.next_time) is not None:
        moves.append(("time passes", lambda: it.pass_time(at)))
    return moves


def go_on(simulation: Simulation) -> None:
    """Do what a fair world does: look when the run is due, work, answer, wait, retry."""
    for _ in range(100 + 60 * len(simulation.model.nodes)):
        if simulation.instance.status in ("completed", "cancelled"):
            return
        if simulation.instance.status == "failed":
            simulation.retry()
        elif simulation.is_due:
            simulation.advance(leased=9)
        elif simulation.executing:
            simulation.execute(simulation.executing[0])
        elif unanswered := _unanswered(simulation):
            simulation.answer(unanswered[0])
        else:
            at = simulation.next_time
            assert at is not None, "nothing will ever happen"
            simulation.pass_time(at)
    raise AssertionError("it does not end")


def _unanswered(simulation: Simulation) -> list[str]:
    nodes = simulation.model.nodes
    return [
        key
        for key, step in simulation.instance.active.items()
        if step.state != "ready"
        and simulation.lacks_answer(key)
        and (nodes[key].plan.needs_answer or step.halt is not None)
    ]
