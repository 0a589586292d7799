"""Events from outside: to which step they are bound, and when they are applied."""

import msgspec
import pytest

from engine.runs import (
    Work,
    after,
    at,
    begun,
    cancelled,
    ended,
    failed,
    flow,
    halted,
    line,
    lines,
    message,
    pending,
    posted,
    suspended,
    told,
)
from hephaestus.engine import advance, bind
from hephaestus.errors import AmbiguousEvent, InstanceFinished, InvalidArgument, UnknownEvent
from hephaestus.instance import Instance
from hephaestus.message import EventPosted
from hephaestus.steps import Done, WaitForEvent

A = Work("a")
FIRST = Work("first", "approved", "refused")
SECOND = Work("second", "approved", "timeout")
PAID = WaitForEvent("paid", key="payment")
FORK = Work("fork", "left", "right")

# first → second → payment, each of which may stand still.
LINE = flow(
    FIRST,
    {
        FIRST: {"approved": SECOND, "refused": Done},
        SECOND: {"approved": PAID, "timeout": Done},
        PAID: {"received": Done},
    },
)
WIDE = flow(
    A,
    {
        A: {"done": [FIRST, SECOND]},
        FIRST: {"approved": PAID, "refused": PAID},
        SECOND: {"approved": PAID, "timeout": PAID},
        PAID: {"received": Done},
    },
)
BRANCH = flow(FORK, {FORK: {"left": PAID, "right": Done}, PAID: {"received": Done}})


def waiting_in_first() -> Instance:
    return after(begun(LINE), LINE, suspended("first"))


def waiting_in_both() -> Instance:
    return after(begun(WIDE), WIDE, ended("a"), suspended("first"), halted("second"))


def test_an_event_goes_to_the_step_that_is_named() -> None:
    instance = waiting_in_first()

    bound = bind(instance, LINE, "approved", "second")

    assert EventPosted(step="second", event="approved") == bound


def test_else_it_goes_to_the_one_waiting_step_that_takes_it() -> None:
    instance = waiting_in_first()

    bound = bind(instance, LINE, "approved", None)

    assert EventPosted(step="first", event="approved") == bound


def test_a_halted_step_waits_too() -> None:
    instance = after(begun(LINE), LINE, halted("first"))

    bound = bind(instance, LINE, "approved", None)

    assert "first" == bound.step


def test_else_it_goes_to_the_only_step_of_the_graph_that_could_take_it() -> None:
    instance = begun(LINE)

    bound = [bind(instance, LINE, event, None) for event in ("refused", "paid", "received")]

    assert ["first", "payment", "payment"] == [one.step for one in bound]


def test_a_run_that_has_not_begun_takes_events() -> None:
    bound = bind(pending(LINE), LINE, "paid", None)

    assert EventPosted(step="payment", event="paid") == bound


def test_where_none_waits_and_several_could_take_it_nothing_is_delivered() -> None:
    instance = begun(LINE)

    with pytest.raises(AmbiguousEvent) as raised:
        bind(instance, LINE, "approved", None)

    assert ("first", "second") == raised.value.steps


def test_where_several_wait_for_it_nothing_is_delivered() -> None:
    instance = waiting_in_both()

    with pytest.raises(AmbiguousEvent) as raised:
        bind(instance, WIDE, "approved", None)

    assert ("first", "second") == raised.value.steps


def test_a_double_click_on_one_approval_does_not_answer_the_next() -> None:
    instance = waiting_in_first()
    click = bind(instance, LINE, "approved", None)

    advanced = told(instance, LINE, click, click, suspended("second"))

    assert {"second"} == advanced.instance.waiting_steps
    assert ("dropped", "first") in lines(advanced)


def test_an_event_that_no_step_takes_is_refused_and_the_nearest_is_named() -> None:
    instance = waiting_in_first()

    with pytest.raises(UnknownEvent) as raised:
        bind(instance, LINE, "aproved", None)

    assert "approved" == raised.value.nearest
    assert ("approved", "paid", "received", "refused", "timeout") == raised.value.known


def test_an_event_that_the_named_step_does_not_take_is_refused() -> None:
    instance = waiting_in_first()

    with pytest.raises(UnknownEvent) as raised:
        bind(instance, LINE, "refused", "second")

    assert ("approved", "timeout") == raised.value.known


def test_no_event_ends_a_run_directly() -> None:
    instance = begun(LINE)

    with pytest.raises(UnknownEvent):
        bind(instance, LINE, "done", "done")


def test_a_step_that_does_not_exist_is_refused() -> None:
    instance = waiting_in_first()

    with pytest.raises(InvalidArgument, match=r"no step 'frist'.*'first'"):
        bind(instance, LINE, "approved", "frist")


@pytest.mark.parametrize("body", [cancelled(), ended("first", "refused")], ids=["cancel", "end"])
def test_a_completed_or_cancelled_run_takes_no_event(body: EventPosted) -> None:
    instance = after(begun(LINE), LINE, body)

    with pytest.raises(InstanceFinished) as raised:
        bind(instance, LINE, "approved", "first")

    assert instance.status == raised.value.status


def test_in_a_failed_run_an_event_goes_to_the_step_that_will_wait_again() -> None:
    instance = after(
        begun(WIDE), WIDE, ended("a"), suspended("first"), failed("second", fatal=True)
    )

    bound = bind(instance, WIDE, "approved", None)

    assert "failed" == instance.status
    assert "first" == bound.step


def test_in_a_failed_run_a_halt_keeps_its_default_answer() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), halted("first", "refused"))
    instance = after(instance, WIDE, failed("second", fatal=True))

    bound = bind(instance, WIDE, None, None)

    assert EventPosted(step="first", event="refused") == bound


def test_an_event_ends_the_wait_of_its_step_and_its_payload_is_the_data() -> None:
    instance = waiting_in_first()

    advanced = told(instance, LINE, posted("first", "approved", {"by": "ann"}), now=at(7))

    assert {"second"} == advanced.instance.active_steps
    assert {"by": "ann"} == advanced.instance.context.steps["first"]
    (wait,) = advanced.waits
    assert ("first", "approved", "external", 7.0) == (
        wait.step, wait.event, wait.source, wait.duration,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["paid", "received"])
def test_a_step_that_waits_for_an_event_takes_its_name_and_ends_with_received(name: str) -> None:
    instance = after(begun(BRANCH), BRANCH, ended("fork", "left"))

    advanced = told(instance, BRANCH, bind(instance, BRANCH, name, None))

    assert "waiting" == instance.status
    assert "completed" == advanced.instance.status
    completed = [e for e in advanced.entries if e.action == "completed"]
    assert [("payment", "received"), ("done", "done")] == [(e.step, e.event) for e in completed]


def test_an_early_event_stays_until_its_step_waits() -> None:
    early = told(begun(LINE), LINE, posted("second", "approved"))

    started = told(early.instance, LINE, *early.kept, ended("first", "approved"))
    waiting = told(started.instance, LINE, *started.kept, suspended("second"))

    assert 1 == len(early.kept) == len(started.kept)
    assert 0 == len(waiting.kept)
    assert {"payment"} == waiting.instance.active_steps


def test_early_events_are_taken_one_after_the_other_within_one_advance() -> None:
    instance = waiting_in_first()

    advanced = told(
        instance,
        LINE,
        posted("payment", "paid"),
        posted("second", "approved"),
        posted("first", "approved"),
        suspended("second"),
    )

    assert "completed" == advanced.instance.status
    assert () == advanced.kept


def test_a_later_event_does_not_overtake_an_earlier_one_of_its_step() -> None:
    instance = begun(LINE)
    earlier, later = posted("first", "approved", {"n": 1}), posted("first", "refused", {"n": 2})

    advanced = told(instance, LINE, earlier, suspended("first"), later)

    assert {"n": 1} == advanced.instance.context.steps["first"]
    assert ("refused", {"n": 2}) == (
        line(advanced, "dropped").event, line(advanced, "dropped").output,
    )  # fmt: skip


def test_an_event_for_a_step_that_has_ended_is_dropped_with_an_entry() -> None:
    instance = after(begun(LINE), LINE, ended("first", "approved"))

    advanced = told(instance, LINE, posted("first", "refused", {"x": 1}))

    entry = line(advanced, "dropped")
    assert ("first", "refused", {"x": 1}) == (entry.step, entry.event, entry.output)
    assert () == advanced.kept
    assert {"second"} == advanced.instance.active_steps


def test_an_early_event_for_a_step_that_is_skipped_is_dropped_with_an_entry() -> None:
    early = told(begun(BRANCH), BRANCH, posted("payment", "paid"))

    advanced = told(early.instance, BRANCH, *early.kept, ended("fork", "right"))

    assert "completed" == advanced.instance.status
    assert ("dropped", "payment") in lines(advanced)
    assert () == advanced.kept


def test_an_event_that_its_waiting_step_does_not_take_is_dropped() -> None:
    instance = waiting_in_first()

    advanced = told(instance, LINE, posted("first", "timeout"), posted("first", "first"))

    assert instance.active == advanced.instance.active
    assert [("dropped", "first"), ("dropped", "first")] == lines(advanced)


def test_an_event_for_a_step_that_the_workflow_no_longer_has_is_dropped() -> None:
    instance = waiting_in_first()

    advanced = told(instance, LINE, posted("zeroth", "approved"))

    assert [("dropped", "zeroth")] == lines(advanced)
    assert advanced.entries[0].step_type is None


def test_of_two_waiting_steps_only_the_bound_one_goes_on() -> None:
    instance = waiting_in_both()

    run = after(instance, WIDE, posted("second", "approved"))

    assert {"first"} == run.waiting_steps
    assert {"a", "second"} == run.completed_steps


def test_an_event_with_a_time_is_not_applied_before_it() -> None:
    instance = waiting_in_first()
    scheduled = message(posted("first", "approved"), not_before=at(10))

    early = told(instance, LINE, scheduled, now=at(9))
    due = told(instance, LINE, scheduled, now=at(10))

    assert (scheduled,) == early.kept
    assert "waiting" == early.instance.status
    assert {"second"} == due.instance.active_steps


def test_an_event_whose_time_has_not_come_holds_up_no_other() -> None:
    instance = waiting_in_first()
    scheduled = message(posted("first", "approved"), not_before=at(10))

    advanced = told(instance, LINE, scheduled, posted("first", "refused"), now=at(1))

    assert "completed" == advanced.instance.status


def test_a_scheduled_event_is_dropped_when_the_run_completes() -> None:
    instance = begun(LINE)
    scheduled = message(posted("second", "approved"), not_before=at(10))

    advanced = told(instance, LINE, scheduled, ended("first", "refused"))

    assert (scheduled.id,) == advanced.consumed[1:]
    assert ("dropped", "second") == lines(advanced)[-1]


def test_only_a_step_that_declares_a_timeout_can_be_given_one() -> None:
    instance = begun(LINE)

    target = bind(instance, LINE, "timeout", "second")

    assert EventPosted(step="second", event="timeout") == target
    with pytest.raises(UnknownEvent):
        bind(instance, LINE, "timeout", "first")


def test_an_event_is_bound_without_a_payload() -> None:
    bound = bind(waiting_in_first(), LINE, "approved", None)

    assert {} == bound.payload


def test_keeping_an_event_is_a_change_that_must_be_written() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, posted("second", "approved"))

    assert advanced.changed
    assert () == advanced.entries
    assert instance.active == advanced.instance.active


def test_keeping_an_event_that_was_kept_before_is_no_change() -> None:
    early = message(posted("second", "approved"))
    kept = after(begun(LINE), LINE, early)
    seen = msgspec.structs.replace(early, seen=True)

    again = told(kept, LINE, seen, now=at(1))

    assert not again.changed


def test_an_event_that_came_in_place_of_a_withdrawn_one_is_a_change() -> None:
    kept = after(begun(LINE), LINE, message(posted("second", "approved")))

    other = told(kept, LINE, message(posted("second", "approved")), now=at(1))

    assert other.changed


def test_a_kept_event_whose_time_has_come_is_a_change_once() -> None:
    later = message(posted("second", "approved"), not_before=at(5))
    kept = after(begun(LINE), LINE, later)
    seen = msgspec.structs.replace(later, seen=True)

    come = told(kept, LINE, seen, now=at(5))
    over = told(come.instance, LINE, seen, now=at(6))

    assert come.changed
    assert not over.changed


def test_nothing_in_the_inbox_is_no_change() -> None:
    instance = waiting_in_first()

    advanced = advance(instance, LINE, at(0))

    assert not advanced.changed
