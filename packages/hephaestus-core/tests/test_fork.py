"""What a forked process does without what only its parent has."""

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from hephaestus import Done, Step, Workflow, registry, telemetry
from hephaestus.fork import Lock
from hephaestus.steps import contract
from hephaestus.telemetry import bus

pytestmark = [
    pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
    ),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def test_a_lock_that_another_thread_holds_is_free_in_a_forked_process() -> None:
    lock = Lock()

    def take() -> None:
        with lock:
            pass

    assert succeeds_in_a_fork(take, while_held=[lock])


def test_workflows_can_be_defined_in_a_process_forked_while_another_thread_defines_one() -> None:
    def define() -> None:
        class Late(Step):
            def execute(self, ctx: object) -> None: ...

        class Forked(Workflow, unique="forkedid", name="fork.Forked"):
            start_step = Late
            transitions = {Late: {"done": Done}}

        telemetry.attach("forked", telemetry.EVENTS, print)

    held = [registry._workflows._lock, contract._sharing, bus._lock]

    assert succeeds_in_a_fork(define, while_held=held)


def succeeds_in_a_fork(work: Callable[[], None], while_held: list[Lock]) -> bool:
    """Tell whether a process can do something that was forked while a thread holds locks."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for lock in while_held:
                stack.enter_context(lock)
            holds.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(30)
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(10)
    # One that waits for ever is ended, and has no status then.
    status = child.exitcode
    child.kill()
    child.join()
    done.set()
    thread.join()
    return status == 0
