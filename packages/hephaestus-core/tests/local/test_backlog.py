"""The backlog keeps ready steps in their order, each once, and not without bound."""

import msgspec

from hephaestus.instance import Instance
from hephaestus.local.backlog import Backlog

FIRST = Instance(id="errand::1", workflow="Errand")
SECOND = Instance(id="errand::2", workflow="Errand")


def test_the_step_that_has_waited_longest_comes_first() -> None:
    backlog = Backlog()
    backlog.add(FIRST, "b")
    backlog.add(SECOND, "a")
    backlog.add(FIRST, "a")

    popped = [backlog.pop() for _ in range(3)]

    assert [(FIRST, "b"), (SECOND, "a"), (FIRST, "a")] == popped


def test_a_step_waits_once_in_its_first_place_with_its_latest_run() -> None:
    later = msgspec.structs.replace(FIRST, revision=9)
    backlog = Backlog()
    backlog.add(FIRST, "a")
    backlog.add(SECOND, "a")
    backlog.add(later, "a")

    popped = [backlog.pop() for _ in range(2)]

    assert [(later, "a"), (SECOND, "a")] == popped
    assert not backlog


def test_too_many_push_out_the_oldest() -> None:
    backlog = Backlog()
    for number in range(10_001):
        backlog.add(FIRST, str(number))

    assert 10_000 == len(backlog)
    assert (FIRST, "1") == backlog.pop()
