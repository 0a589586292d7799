"""Halt: a step asks, and an answer carries it on."""

import pytest

from engine.runs import (
    Work,
    after,
    at,
    begun,
    ended,
    failed,
    flow,
    halted,
    line,
    lines,
    posted,
    told,
)
from hephaestus.engine import bind, step_context, wake_at
from hephaestus.errors import AmbiguousEvent, InvalidArgument
from hephaestus.instance import Instance
from hephaestus.message import EventPosted
from hephaestus.steps import Done

A, B, C, D = (Work(key) for key in "abcd")
ASK = Work("ask", "approved", "refused")
LINE = flow(ASK, {ASK: {"approved": B, "refused": Done}, B: {"done": Done}})
WIDE = flow(A, {A: {"done": [B, C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}})


def asking(resume_to: str | None = None) -> Instance:
    return after(begun(LINE), LINE, halted("ask", resume_to), now=at(3))


def test_a_halted_step_stays_active_and_its_question_is_shown() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, halted("ask", "approved"), now=at(3))

    run = advanced.instance
    assert ("halted", "ask", "approved") == (run.status, run.current_step, run.recover_to)
    assert {"asks": "ask"} == run.halt_data
    assert {"ask"} == run.active_steps
    assert frozenset() == run.waiting_steps
    assert (("ask", 1),) == advanced.ended
    assert {"asks": "ask"} == line(advanced, "halted").output


def test_only_an_answer_moves_it() -> None:
    instance = asking()

    later = after(instance, LINE, now=at(1_000_000))

    assert "halted" == later.status
    assert wake_at(later, []) is None


def test_the_answer_ends_it_with_the_event_and_its_payload_is_the_data() -> None:
    instance = asking()

    run = after(instance, LINE, posted("ask", "approved", {"by": "ann"}))

    assert ("running", None, None) == (run.status, run.halt_data, run.recover_to)
    assert {"by": "ann"} == run.context.steps["ask"]
    assert {"b"} == run.active_steps


def test_an_answer_without_an_event_takes_the_default() -> None:
    instance = asking("refused")

    bound = bind(instance, LINE, None, None)
    run = after(instance, LINE, bound)

    assert EventPosted(step="ask", event="refused") == bound
    assert "completed" == run.status


def test_an_answer_with_an_event_overrides_the_default() -> None:
    instance = asking("refused")

    run = after(instance, LINE, bind(instance, LINE, "approved", None))

    assert {"b"} == run.active_steps


def test_an_answer_without_an_event_needs_a_default() -> None:
    instance = asking()

    with pytest.raises(InvalidArgument, match="no halted step with a default answer"):
        bind(instance, LINE, None, None)


def test_an_answer_to_the_steps_own_key_runs_it_again_with_the_answer() -> None:
    instance = asking("ask")

    advanced = told(instance, LINE, bind(instance, LINE, None, None), now=at(9))
    again = after(instance, LINE, posted("ask", "ask", {"by": "ann"}), now=at(9))

    step = again.active["ask"]
    assert ("ask",) == advanced.ready
    assert ("ready", 2, at(9), None) == (step.state, step.attempt, step.deadline, step.halt)
    assert {"by": "ann"} == step_context(LINE, again, "ask", step).answer
    assert "running" == again.status
    assert {} == again.context.steps


def test_the_steps_own_key_may_be_named_as_the_event() -> None:
    instance = asking("ask")

    with_step = bind(instance, LINE, "ask", "ask")
    without_step = bind(instance, LINE, "ask", None)

    assert EventPosted(step="ask", event="ask") == with_step == without_step


def test_a_step_that_asked_to_run_again_may_be_answered_with_its_event_instead() -> None:
    instance = asking("ask")

    run = after(instance, LINE, posted("ask", "approved"))

    assert {"b"} == run.active_steps


def test_the_answer_is_kept_through_failed_attempts() -> None:
    instance = after(asking("ask"), LINE, posted("ask", "ask", {"by": "ann"}))

    run = after(instance, LINE, failed("ask", attempt=2))

    assert (3, {"by": "ann"}) == (run.active["ask"].attempt, run.active["ask"].answer)


def test_the_outcome_of_the_attempt_that_asked_does_not_count_any_more() -> None:
    instance = after(asking("ask"), LINE, posted("ask", "ask"))

    advanced = told(instance, LINE, ended("ask", "refused", attempt=1))

    assert [("dropped", "ask")] == lines(advanced)
    assert {"ask"} == advanced.instance.active_steps


def test_a_second_answer_to_one_question_is_dropped() -> None:
    instance = asking()

    advanced = told(instance, LINE, posted("ask", "approved"), posted("ask", "refused", {"x": 1}))

    assert {"b"} == advanced.instance.active_steps
    dropped = line(advanced, "dropped")
    assert ("ask", "refused", {"x": 1}) == (dropped.step, dropped.event, dropped.output)


@pytest.mark.parametrize("resume_to", [None, "approved"])
def test_a_step_that_did_not_ask_to_run_again_is_not_run_again(resume_to: str | None) -> None:
    instance = asking(resume_to)

    advanced = told(instance, LINE, posted("ask", "ask"), posted("ask", "unheard of"))

    assert instance.active == advanced.instance.active
    assert [("dropped", "ask"), ("dropped", "ask")] == lines(advanced)


def test_an_answer_that_is_early_waits_for_the_question() -> None:
    instance = begun(LINE)
    early = told(instance, LINE, posted("ask", "approved"))

    advanced = told(early.instance, LINE, *early.kept, halted("ask"))

    assert 1 == len(early.kept)
    assert [("halted", "ask"), ("resumed", "ask"), ("completed", "ask")] == lines(advanced)


def test_the_siblings_of_a_halted_step_go_on() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    halted_run = told(instance, WIDE, halted("b"))
    both = told(halted_run.instance, WIDE, ended("c"))

    assert "halted" == halted_run.instance.status == both.instance.status
    assert ("c",) == halted_run.ready
    assert {"b"} == both.instance.active_steps


def test_of_two_questions_the_earlier_one_is_shown() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))
    instance = after(instance, WIDE, halted("c", "done"), now=at(1))

    instance = after(instance, WIDE, halted("b", "b"), now=at(2))
    answered = after(instance, WIDE, posted("c", "done"), now=at(3))

    assert ("c", "done") == (instance.current_step, instance.recover_to)
    assert ("b", "b") == (answered.current_step, answered.recover_to)


def test_an_answer_without_an_event_is_refused_where_two_steps_ask() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), halted("b", "done"), halted("c", "done"))

    with pytest.raises(AmbiguousEvent) as raised:
        bind(instance, WIDE, None, None)

    assert ("b", "c") == raised.value.steps
    assert EventPosted(step="c", event="done") == bind(instance, WIDE, None, "c")
