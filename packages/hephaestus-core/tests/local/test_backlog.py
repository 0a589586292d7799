"""The backlog keeps ready steps in their order, each once, and not without bound."""

from hephaestus.local.backlog import Backlog, Ready


def ready(run_id: str, step: str, attempt: int) -> Ready:
    return Ready(run_id, step, attempt, ())


def test_the_step_that_has_waited_longest_comes_first() -> None:
    backlog = Backlog()
    backlog.add(ready("run-1", "b", 1))
    backlog.add(ready("run-2", "a", 1))
    backlog.add(ready("run-1", "a", 1))

    popped = [backlog.pop() for _ in range(3)]

    assert [ready("run-1", "b", 1), ready("run-2", "a", 1), ready("run-1", "a", 1)] == popped


def test_a_step_waits_once_in_its_first_place_with_its_latest_attempt() -> None:
    backlog = Backlog()
    backlog.add(ready("run-1", "a", 1))
    backlog.add(ready("run-2", "a", 1))
    backlog.add(ready("run-1", "a", 2))

    popped = [backlog.pop() for _ in range(2)]

    assert [ready("run-1", "a", 2), ready("run-2", "a", 1)] == popped
    assert not backlog


def test_a_step_that_has_begun_waits_no_more() -> None:
    backlog = Backlog()
    backlog.add(ready("run-1", "a", 1))
    backlog.add(ready("run-1", "b", 1))
    backlog.drop("run-1", "a")
    backlog.drop("run-1", "c")

    assert ready("run-1", "b", 1) == backlog.pop()
    assert not backlog


def test_too_many_push_out_the_oldest() -> None:
    backlog = Backlog()
    for number in range(10_001):
        backlog.add(ready("run-1", str(number), 1))

    assert 10_000 == len(backlog)
    assert ready("run-1", "1", 1) == backlog.pop()
