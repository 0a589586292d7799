"""The blocking door: the verbs without `await`, from any thread and in any process."""

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hephaestus import (
    Done,
    Entry,
    Fatal,
    Hephaestus,
    MemoryStorage,
    StepContext,
    WaitForEvent,
    Workflow,
    running,
    step,
)
from hephaestus.blocking import BlockingHandle, BlockingHephaestus
from hephaestus.errors import (
    AlreadyRunning,
    InstanceFailed,
    InstanceNotFound,
    InvalidArgument,
    NoApp,
    StorageUnavailable,
    WaitTimeout,
)

paid = WaitForEvent("paid")


@step
def check(ctx: StepContext) -> Any:
    if ctx.initial.get("broken"):
        raise Fatal("it is broken")
    return {"thread": threading.current_thread().name}


class Paying(Workflow, unique="blockingpaying"):
    start_step = check
    transitions = {check: {"done": paid}, paid: {"received": Done}}


@pytest.fixture(name="door")
def _door() -> Iterator[BlockingHephaestus]:
    with BlockingHephaestus(Hephaestus) as door:
        yield door


def test_a_run_is_started_steered_and_awaited_without_await(door: BlockingHephaestus) -> None:
    run = door.start(Paying, "1", {"item": "nail"})
    waiting = run.wait(10, until="waiting")
    door.resume("blockingpaying::1", "paid", {"receipt": "r-1"})

    assert {"receipt": "r-1"} == run.result(10) == door.result(run.run_id, 10)
    assert isinstance(run, BlockingHandle)
    assert ("blockingpaying::1", ["paid"]) == (waiting.id, list(waiting.waiting_steps))
    assert "completed" == run.get().status == door.get(run.id).status == door.wait(run.id).status
    assert 1 == door.count(workflow=Paying) == len(door.query(status="completed"))
    assert all(isinstance(entry, Entry) for entry in run.history() + door.history(run.id))


def test_a_run_is_cancelled_and_a_failed_one_retried(door: BlockingHephaestus) -> None:
    door.start(Paying, "1").cancel()
    door.start(Paying, "2")
    door.cancel("blockingpaying::2")
    broken = door.start(Paying, "3", {"broken": True})

    with pytest.raises(InstanceFailed, match="it is broken"):
        broken.result(10)
    broken.retry()
    with pytest.raises(InstanceFailed):
        broken.result(10)
    door.retry(broken.run_id)

    assert 2 == door.count(status="cancelled")


def test_what_has_no_verb_here_runs_as_a_coroutine_of_the_app(door: BlockingHephaestus) -> None:
    door.run(Paying.start("1"))

    assert "blockingpaying::1" == door.run(Paying.get("1")).id


def test_an_error_keeps_its_type_and_the_place_where_it_was_raised(
    door: BlockingHephaestus,
) -> None:
    with pytest.raises(InstanceNotFound) as missing:
        door.get("blockingpaying::404")

    places = [frame.name for frame in traceback.extract_tb(missing.value.__traceback__)]
    assert ("blockingpaying::404", "_find") == (missing.value.instance_id, places[-1])


def test_a_wait_ends_in_time(door: BlockingHephaestus) -> None:
    run = door.start(Paying, "1")

    with pytest.raises(WaitTimeout):
        run.wait(0.01, until="completed")


def test_many_threads_share_one_app() -> None:
    made: list[Hephaestus] = []

    def make() -> Hephaestus:
        made.append(Hephaestus())
        return made[-1]

    def start(number: int) -> str:
        try:
            return door.start(Paying, str(number % 5)).wait(10, until="waiting").id
        except AlreadyRunning as error:
            return error.instance_id

    door = BlockingHephaestus(make)
    with ThreadPoolExecutor(20) as threads:
        ids = set(threads.map(start, range(40)))
    unfinished = door.count(status="waiting")
    door.close()

    assert (5, 5, 1) == (len(ids), unfinished, len(made))


async def test_inside_an_event_loop_it_says_what_to_use_instead() -> None:
    door = BlockingHephaestus(Hephaestus)

    for verb in (door.open, door.close, lambda: door.start(Paying, "1"), lambda: door.get("a::1")):
        with pytest.raises(InvalidArgument, match="use the app itself"):
            verb()
    with pytest.raises(InvalidArgument, match="use the app itself"):
        door.run(Paying.get("1"))


def test_a_step_in_a_thread_may_use_the_door_that_runs_it() -> None:
    @step
    def order(ctx: StepContext) -> Any:
        return {"id": door.start(Paying, "9").id}

    class Ordering(Workflow, unique="blockingordering"):
        start_step = order
        transitions = {order: {"done": Done}}

    with BlockingHephaestus(Hephaestus()) as door:
        assert {"id": "blockingpaying::9"} == door.start(Ordering, "1").result(10)


def test_it_begins_with_the_first_verb_and_after_its_end_only_when_it_is_opened() -> None:
    storage = MemoryStorage()
    door = BlockingHephaestus(Hephaestus(storage))
    door.start(Paying, "1")
    door.close()
    door.close()

    with pytest.raises(NoApp, match=r"this BlockingHephaestus is closed; call open\(\)"):
        door.count()
    with pytest.raises(NoApp):
        door.run(Paying.get("1"))
    with door:
        assert 1 == door.count()


def test_a_closed_one_makes_no_further_app() -> None:
    made: list[Hephaestus] = []

    def make() -> Hephaestus:
        made.append(Hephaestus())
        return made[-1]

    with BlockingHephaestus(make) as door:
        pass
    with pytest.raises(NoApp):
        door.count()

    assert 1 == len(made)


def test_who_waits_when_it_closes_is_told(door: BlockingHephaestus) -> None:
    waits = threading.Event()
    told: list[BaseException] = []

    async def forever() -> None:
        waits.set()
        await asyncio.get_running_loop().create_future()

    def wait() -> None:
        try:
            door.run(forever())
        except NoApp as error:
            told.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    waits.wait(10)
    door.close()
    thread.join(10)

    assert 1 == len(told)
    assert str(told[0]).endswith("this BlockingHephaestus is closed; call open()")


class Silent(MemoryStorage):
    """A storage that never answers."""

    async def count(self, **filters: Any) -> int:
        await asyncio.get_running_loop().create_future()
        return 0


class Closed(MemoryStorage):
    """A storage that cannot be reached, or only after an eternity."""

    def __init__(self, *, patient: bool) -> None:
        super().__init__()
        self._patient = patient

    async def open(self) -> None:
        if self._patient:
            await asyncio.get_running_loop().create_future()
        raise StorageUnavailable("Closed", "it is closed")


def test_a_storage_that_does_not_answer_is_not_waited_for_beyond_the_timeout() -> None:
    with BlockingHephaestus(Hephaestus(Silent()), timeout=30) as door:
        door._timeout = 0.05
        with pytest.raises(StorageUnavailable, match=r"no answer within 0\.05 s"):
            door.count()
        door._timeout = 30
        assert [] == door.query()


class JustLate(concurrent.futures.Future[int]):
    """An answer that comes when the time has passed, and before anybody has looked again."""

    def result(self, timeout: float | None = None) -> int:
        if not self.done():
            self.set_result(7)
            raise TimeoutError
        return super().result(timeout)


def test_an_answer_that_comes_as_the_time_ends_is_taken(
    door: BlockingHephaestus, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.open()
    monkeypatch.setattr(door._host, "submit", lambda _: JustLate())

    assert 7 == door.count()


@pytest.mark.parametrize(
    ("patient", "timeout", "reason"), [(False, 30, "it is closed"), (True, 0.05, "no answer")]
)
def test_an_app_that_cannot_be_opened_is_tried_again_by_the_next_verb(
    patient: bool, timeout: float, reason: str
) -> None:
    door = BlockingHephaestus(lambda: Hephaestus(Closed(patient=patient)), timeout=timeout)

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match=reason):
            door.count()

    # Nobody waits for an app that is given up; the next test would meet it.
    for thread in threading.enumerate():
        if thread.name.startswith("hephaestus-app-"):
            thread.join(10)


def test_a_program_that_forgets_to_close_it_ends_at_once_and_in_order() -> None:
    program = """
from hephaestus import Hephaestus, MemoryStorage
from hephaestus.blocking import BlockingHephaestus

class Storage(MemoryStorage):
    async def close(self):
        print("closed")

print(BlockingHephaestus(lambda: Hephaestus(Storage())).count())
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )

    assert (0, "0\nclosed\n", "") == (run.returncode, run.stdout, run.stderr)


@pytest.mark.parametrize("app", [None, "app", 3])
def test_what_makes_no_app_is_refused(app: Any) -> None:
    with pytest.raises(InvalidArgument, match="a function that makes one"):
        BlockingHephaestus(app)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("opened", [False, True], ids=["before", "after"])
def test_a_process_forked_before_or_after_the_opening_has_an_app_of_its_own(opened: bool) -> None:
    door = BlockingHephaestus(Hephaestus)
    if opened:
        door.start(Paying, "1")

    def child() -> bool:
        door.start(Paying, "1")
        door.close()
        return True

    assert child_succeeds(child)
    assert int(opened) == door.count()
    door.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_an_app_that_was_opened_before_the_fork_is_refused_in_the_child() -> None:
    def child() -> bool:
        try:
            door.count()
        except InvalidArgument as error:
            return "opened before this process was forked" in str(error)
        return False

    with BlockingHephaestus(Hephaestus()) as door:
        assert child_succeeds(child)


def child_succeeds(work: Callable[[], bool]) -> bool:
    """Tell whether a forked process finds that something is true."""
    pid = os.fork()
    if pid == 0:
        # Leave at once: what pytest has to do at an end, its own process does.
        status = 1
        try:
            loop_of_the_parent_is_not_here()
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def loop_of_the_parent_is_not_here() -> None:
    with pytest.raises(NoApp):
        running.current()
