"""The bus hands telemetry events to whoever is attached, and to nobody else."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.telemetry import EVENTS, attach, detach
from hephaestus.telemetry.bus import RUNNER_INIT, STEP_START, STEP_STOP, emit, listening


class Attached:
    """Attaches handlers under ids that are detached after the test."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def attach(self, id: str, events: Any, handler: Any) -> None:
        attach(id, events, handler)
        self.ids.add(id)

    def recording(self, id: str, events: Any) -> list[Any]:
        seen: list[Any] = []
        self.attach(id, events, lambda *event: seen.append(event))
        return seen

    def close(self) -> None:
        for id in self.ids:
            try:
                detach(id)
            except InvalidArgument:
                continue  # the test, or the bus, was faster


@pytest.fixture
def attached() -> Iterator[Attached]:
    attached = Attached()
    yield attached
    attached.close()


def test_there_are_eleven_events() -> None:
    kinds = {name.removeprefix("hephaestus.") for name in EVENTS}

    assert {
        "workflow.start", "workflow.stop", "workflow.exception", "workflow.transition",
        "step.start", "step.stop", "step.exception", "step.async", "step.resume",
        "engine.advance", "runner.init",
    } == kinds  # fmt: skip
    assert 11 == len(EVENTS)


def test_a_handler_gets_name_measurements_and_metadata(attached: Attached) -> None:
    seen = attached.recording("mine", [STEP_STOP])

    emit(STEP_STOP, {"duration": 0.5}, {"step": "charge"})

    assert [(STEP_STOP, {"duration": 0.5}, {"step": "charge"})] == seen


def test_a_handler_gets_only_the_events_it_asked_for(attached: Attached) -> None:
    seen = attached.recording("mine", [STEP_STOP])

    emit(STEP_START, {}, {})

    assert [] == seen


def test_an_event_named_twice_arrives_once(attached: Attached) -> None:
    seen = attached.recording("mine", [STEP_STOP, STEP_STOP])

    emit(STEP_STOP, {}, {})

    assert 1 == len(seen)


def test_every_handler_of_an_event_is_called_in_order(attached: Attached) -> None:
    order: list[str] = []
    attached.attach("first", EVENTS, lambda *event: order.append("first"))
    attached.attach("second", EVENTS, lambda *event: order.append("second"))

    emit(STEP_STOP, {}, {})

    assert ["first", "second"] == order


def test_nobody_hears_an_event_without_handlers(attached: Attached) -> None:
    attached.recording("mine", [STEP_STOP])

    assert listening(STEP_STOP)
    assert not listening(STEP_START)


def test_a_detached_handler_is_not_called(attached: Attached) -> None:
    seen = attached.recording("mine", EVENTS)

    detach("mine")
    emit(STEP_STOP, {}, {})

    assert [] == seen
    assert not listening(STEP_STOP)


def test_detaching_one_handler_leaves_the_others(attached: Attached) -> None:
    attached.recording("mine", EVENTS)
    seen = attached.recording("theirs", EVENTS)

    detach("mine")
    emit(STEP_STOP, {}, {})

    assert 1 == len(seen)


def test_an_unknown_event_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidArgument, match=r"did you mean 'hephaestus\.step\.start'"):
        attach("mine", ["hephaestus.step.begin.start"], print)


def test_an_event_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(InvalidArgument, match=r"events: hephaestus\.workflow\.start, "):
        attach("mine", ["?"], print)


def test_a_single_text_is_no_list_of_events() -> None:
    with pytest.raises(InvalidArgument, match="come as a list"):
        attach("mine", STEP_STOP, print)


def test_a_refused_attach_leaves_nothing_behind(attached: Attached) -> None:
    with pytest.raises(InvalidArgument):
        attach("mine", [STEP_STOP, "no such event"], print)

    assert not listening(STEP_STOP)
    attached.recording("mine", [STEP_STOP])


def test_a_second_attach_under_one_id_is_refused(attached: Attached) -> None:
    seen = attached.recording("mine", [STEP_STOP])

    with pytest.raises(InvalidArgument, match="already attached as 'mine'"):
        attach("mine", [STEP_START], print)

    emit(STEP_STOP, {}, {})
    assert 1 == len(seen)
    assert not listening(STEP_START)


def test_a_detach_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no telemetry handler is attached as 'mine'"):
        detach("mine")


def test_a_coroutine_function_is_no_handler() -> None:
    async def handler(*event: object) -> None:
        raise AssertionError

    with pytest.raises(InvalidArgument, match="plain function"):
        attach("mine", EVENTS, handler)


def test_a_handler_is_something_to_call() -> None:
    with pytest.raises(InvalidArgument, match="plain function"):
        attach("mine", EVENTS, "print")  # type: ignore[arg-type]  # the point of the test


def test_a_handler_that_raises_is_detached_and_logged(
    attached: Attached, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(*event: object) -> None:
        raise RuntimeError("no disk")

    attached.attach("broken", EVENTS, handler)

    emit(STEP_STOP, {}, {})
    emit(STEP_STOP, {}, {})

    (record,) = caplog.records
    assert ("hephaestus.telemetry", logging.ERROR) == (record.name, record.levelno)
    assert "'broken' raised on hephaestus.step.stop" in record.getMessage()
    assert record.exc_info is not None
    assert not listening(RUNNER_INIT)


@pytest.mark.usefixtures("caplog")
def test_the_other_handlers_still_run_when_one_raises(attached: Attached) -> None:
    def handler(*event: object) -> None:
        raise RuntimeError("no disk")

    attached.attach("broken", EVENTS, handler)
    seen = attached.recording("sound", EVENTS)

    emit(STEP_STOP, {}, {})

    assert 1 == len(seen)


def test_the_id_of_a_handler_that_raised_is_free_again(attached: Attached) -> None:
    def handler(*event: object) -> None:
        raise RuntimeError("no disk")

    attached.attach("mine", EVENTS, handler)
    emit(STEP_STOP, {}, {})

    seen = attached.recording("mine", EVENTS)
    emit(STEP_STOP, {}, {})

    assert 1 == len(seen)


def test_a_handler_that_raises_does_not_take_its_successor_along(attached: Attached) -> None:
    seen: list[object] = []

    def handler(*event: object) -> None:
        detach("mine")
        attach("mine", EVENTS, lambda *event: seen.append(event))
        raise RuntimeError("no disk")

    attached.attach("mine", EVENTS, handler)
    emit(STEP_STOP, {}, {})

    emit(STEP_STOP, {}, {})

    assert 1 == len(seen)


def test_a_handler_cannot_spoil_what_the_next_one_gets(attached: Attached) -> None:
    attached.attach("rude", EVENTS, lambda name, measurements, metadata: metadata.clear())
    seen = attached.recording("mine", EVENTS)

    emit(STEP_STOP, {}, {"step": "charge"})

    assert [(STEP_STOP, {}, {"step": "charge"})] == seen


def test_a_handler_may_detach_itself(attached: Attached) -> None:
    attached.attach("once", EVENTS, lambda *event: detach("once"))

    emit(STEP_STOP, {}, {})

    assert not listening(STEP_STOP)


def test_threads_attach_emit_and_detach_at_once(attached: Attached) -> None:
    seen = attached.recording("watcher", EVENTS)
    together = threading.Barrier(8)

    def work(number: int) -> None:
        together.wait()
        for _ in range(200):
            attach(f"thread {number}", EVENTS, lambda *event: None)
            emit(STEP_STOP, {}, {"number": number})
            detach(f"thread {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 * 200 == len(seen)
    detach("watcher")
    assert not any(map(listening, EVENTS))
