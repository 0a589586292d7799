"""Timers: waits that end by themselves."""

from engine.runs import Work, after, at, begun, ended, flow, line, lines, posted, suspended, told
from hephaestus.engine import advance, wake_at
from hephaestus.instance import Instance
from hephaestus.steps import Done, Wait, WaitForEvent

A, B, C, D = (Work(key) for key in "abcd")
SLOW = Work("slow", "done", "timeout")
NAP = Wait(10, key="nap")
REST = Wait(5, key="rest")
PAID = WaitForEvent("paid", timeout=20)

LINE = flow(NAP, {NAP: {"timeout": REST}, REST: {"timeout": Done}})
PATIENT = flow(SLOW, {SLOW: {"done": PAID, "timeout": B}, PAID: {"received": Done, "timeout": B},
                      B: {"done": Done}})  # fmt: skip
WIDE = flow(
    A,
    {
        A: {"done": [NAP, REST, PAID]},
        NAP: {"timeout": D},
        REST: {"timeout": D},
        PAID: {"received": D, "timeout": D},
        D: {"done": Done},
    },
)


def patient(timeout: float | None) -> Instance:
    return after(begun(PATIENT), PATIENT, suspended("slow", timeout))


def test_a_pause_begins_with_the_step_and_never_reaches_a_worker() -> None:
    advanced = told(after(begun(WIDE), WIDE), WIDE, ended("a"), now=at(3))

    assert () == advanced.ready
    assert "waiting" == advanced.instance.status
    assert {"nap", "rest", "paid"} == advanced.instance.waiting_steps
    assert at(13) == advanced.instance.active["nap"].deadline
    assert at(8) == wake_at(advanced.instance, [])


def test_it_ends_when_its_time_has_come_and_not_before() -> None:
    instance = begun(LINE)

    early = advance(instance, LINE, at(9.999))
    due = advance(instance, LINE, at(10))

    assert not early.changed
    assert {"nap"} == early.instance.active_steps
    assert {"rest"} == due.instance.active_steps
    assert {} == due.instance.context.steps["nap"]


def test_a_pause_after_a_pause_begins_when_that_was_noticed() -> None:
    instance = begun(LINE)

    late = after(instance, LINE, now=at(100))

    assert at(105) == late.active["rest"].deadline


def test_a_pause_of_no_time_ends_in_the_advance_that_began_it() -> None:
    none = Wait(0, key="none")
    workflow = flow(A, {A: {"done": none}, none: {"timeout": B}, B: {"done": Done}})

    advanced = told(begun(workflow), workflow, ended("a"))

    assert ("b",) == advanced.ready
    assert {"a", "none"} == advanced.instance.completed_steps


def test_timers_that_are_due_together_fire_in_the_order_of_their_times() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    advanced = told(instance, WIDE, now=at(60))

    resumed = [step for action, step in lines(advanced) if action == "resumed"]
    assert ["rest", "nap", "paid"] == resumed
    assert ("d",) == advanced.ready


def test_a_suspended_step_with_a_timeout_ends_with_that_event_and_no_data() -> None:
    instance = patient(30)

    advanced = told(instance, PATIENT, now=at(30))

    assert at(30) == instance.active["slow"].deadline
    assert {} == advanced.instance.context.steps["slow"]
    assert ("b",) == advanced.ready
    (wait,) = advanced.waits
    assert ("slow", "timeout", "timeout", 30.0) == (
        wait.step, wait.event, wait.source, wait.duration,
    )  # fmt: skip


def test_a_wait_counts_from_the_end_of_the_body_and_not_from_its_start() -> None:
    instance = after(begun(PATIENT), PATIENT, suspended("slow", 30), now=at(5))

    advanced = told(instance, PATIENT, posted("slow", "done"), now=at(7))

    assert at(35) == instance.active["slow"].deadline
    assert (2.0, 2.0) == (advanced.waits[0].duration, line(advanced, "resumed").duration)


def test_a_suspended_step_without_a_timeout_waits_for_ever() -> None:
    instance = patient(None)

    later = after(instance, PATIENT, now=at(1_000_000_000))

    assert instance.active["slow"].deadline is None
    assert wake_at(instance, []) is None
    assert "waiting" == later.status


def test_an_event_that_was_posted_before_the_timer_was_noticed_wins() -> None:
    instance = patient(30)

    advanced = told(instance, PATIENT, posted("slow", "done", {"x": 1}), now=at(60))

    assert {"x": 1} == advanced.instance.context.steps["slow"]
    assert {"paid"} == advanced.instance.waiting_steps


def test_an_event_wins_even_over_a_timer_that_its_own_advance_sets() -> None:
    instance = begun(PATIENT)

    advanced = told(instance, PATIENT, posted("slow", "done", {"x": 1}), suspended("slow", 0))

    assert {"x": 1} == advanced.instance.context.steps["slow"]


def test_an_event_after_the_timer_is_dropped() -> None:
    instance = after(patient(30), PATIENT, now=at(30))

    advanced = told(instance, PATIENT, posted("slow", "done"), now=at(31))

    assert "slow" == line(advanced, "dropped").step
    assert {"b"} == advanced.instance.active_steps


def test_a_timer_makes_room_for_an_event_that_was_early() -> None:
    workflow = flow(NAP, {NAP: {"timeout": PAID}, PAID: {"received": B, "timeout": C},
                          B: {"done": Done}, C: {"done": Done}})  # fmt: skip
    early = told(begun(workflow), workflow, posted("paid", "paid", {"x": 1}))

    advanced = told(early.instance, workflow, *early.kept, now=at(10))

    assert {"x": 1} == advanced.instance.context.steps["paid"]
    assert ("b",) == advanced.ready


def test_an_event_step_ends_with_received_or_with_timeout() -> None:
    instance = after(patient(None), PATIENT, posted("slow", "done"), now=at(0))

    received = after(instance, PATIENT, posted("paid", "paid"), now=at(19))
    late = told(instance, PATIENT, now=at(20))

    assert "completed" == received.status
    assert ("b",) == late.ready


def test_an_event_step_without_patience_sets_no_timer() -> None:
    calm = WaitForEvent("paid")
    workflow = flow(calm, {calm: {"received": Done}})

    instance = begun(workflow)

    assert "waiting" == instance.status
    assert wake_at(instance, []) is None


def test_siblings_at_work_make_a_run_with_timers_a_running_one() -> None:
    workflow = flow(
        A, {A: {"done": [B, NAP]}, B: {"done": D}, NAP: {"timeout": D}, D: {"done": Done}}
    )
    instance = after(begun(workflow), workflow, ended("a"))

    waiting = after(instance, workflow, ended("b"))

    assert ("running", "waiting") == (instance.status, waiting.status)
    assert "nap" == waiting.current_step


def test_a_timer_completes_a_run() -> None:
    instance = after(begun(LINE), LINE, now=at(10))

    run = after(instance, LINE, now=at(15))

    assert ("completed", at(15)) == (run.status, run.finished_at)
