"""The log handler writes one structured line for each telemetry event."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.instance import Instance
from hephaestus.telemetry import EVENTS, events, log
from hephaestus.telemetry.bus import STEP_START, STEP_STOP, WORKFLOW_START, listening

RUN = "01890f3a-0000-7000-8000-000000000001"
ORDER = Instance(id="orderid::42", run_id=RUN, workflow="shop.OrderFlow", status="completed")
FIELDS = ("telemetry_event", "instance_id", "run_id", "workflow", "step", "event", "duration_ms")


@pytest.fixture
def attached() -> Iterator[None]:
    log.attach()
    yield
    log.detach()


@pytest.fixture(autouse=True)
def everything_is_captured(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "hephaestus")


def stop(duration: float | None = 0.0123) -> None:
    events.step_stop(
        ORDER,
        step="charge",
        attempt=1,
        duration=duration,
        event="charged",
        has_data=True,
        has_metadata=False,
    )


def fail(stacktrace: str | None) -> None:
    events.step_exception(
        ORDER,
        step="charge",
        attempt=2,
        duration=0.5,
        kind="ValueError",
        reason="declined",
        stacktrace=stacktrace,
    )


def emit_all() -> None:
    events.workflow_start(ORDER, initial_step="validate", runner="LocalRunner")
    events.workflow_stop(ORDER, duration=1, step_count=2, advance_count=3, runner="LocalRunner")
    events.workflow_exception(
        ORDER,
        duration=1,
        kind="KeyError",
        reason="'x'",
        stacktrace=None,
        failed_step="charge",
        runner="LocalRunner",
    )
    events.workflow_transition(ORDER, source="a", event="done", targets=["b", "c"])
    events.step_start(ORDER, step="charge", attempt=1, concurrent=False, active=1)
    stop()
    fail(None)
    events.step_async(ORDER, step="paid", attempt=1, duration=0.001)
    events.step_resume(ORDER, step="paid", event="received", source="external", waited=2)
    events.engine_advance(ORDER, duration=0.001, before="running", steps_completed=1, iteration=3)
    events.runner_init(app="shop", runner="LocalRunner", storage="MemoryStorage")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {field: getattr(record, field) for field in FIELDS if hasattr(record, field)}


@pytest.mark.usefixtures("attached")
def test_every_event_has_a_line_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    emit_all()

    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [
        ("INFO", "[orderid::42] workflow shop.OrderFlow v1 started at validate"),
        (
            "INFO",
            "[orderid::42] workflow shop.OrderFlow completed in 1000.0 ms (2 steps, 3 advances)",
        ),
        (
            "ERROR",
            "[orderid::42] workflow shop.OrderFlow failed at charge after 1000.0 ms: KeyError: 'x'",
        ),
        ("DEBUG", "[orderid::42] a --done--> b, c"),
        ("INFO", "[orderid::42] step charge started (attempt 1)"),
        ("INFO", "[orderid::42] step charge finished with charged in 12.3 ms"),
        (
            "ERROR",
            "[orderid::42] step charge failed (attempt 2) after 500.0 ms: ValueError: declined",
        ),
        ("WARNING", "[orderid::42] step paid is waiting after 1.0 ms"),
        ("INFO", "[orderid::42] step paid resumed by received (external) after 2000.0 ms"),
        (
            "DEBUG",
            "[orderid::42] advance 3: running → completed in 1.0 ms (1 completed, 0 active)",
        ),
        ("INFO", "app shop runs on LocalRunner with MemoryStorage"),
    ] == lines


@pytest.mark.usefixtures("attached")
def test_the_record_carries_structured_fields(caplog: pytest.LogCaptureFixture) -> None:
    stop()

    (record,) = caplog.records
    assert "hephaestus" == record.name
    assert {
        "telemetry_event": "hephaestus.step.stop",
        "instance_id": "orderid::42",
        "run_id": RUN,
        "workflow": "shop.OrderFlow",
        "step": "charge",
        "event": "charged",
        "duration_ms": 12.3,
    } == fields(record)


@pytest.mark.usefixtures("attached")
def test_fields_that_an_event_lacks_are_omitted(caplog: pytest.LogCaptureFixture) -> None:
    events.runner_init(app="shop", runner="LocalRunner", storage="MemoryStorage")

    (record,) = caplog.records
    assert {"telemetry_event": "hephaestus.runner.init"} == fields(record)


@pytest.mark.usefixtures("attached")
def test_the_callers_metadata_does_not_pass_for_ours(caplog: pytest.LogCaptureFixture) -> None:
    clash = {"step": "mine", "event": "mine", "message": "mine", "args": "mine"}
    order = Instance(id="orderid::42", workflow="shop.OrderFlow", telemetry_metadata=clash)

    events.workflow_start(order, initial_step="validate", runner="LocalRunner")

    (record,) = caplog.records
    assert not {"step", "event"} & fields(record).keys()


@pytest.mark.usefixtures("attached")
def test_the_wait_is_the_duration_of_a_resume(caplog: pytest.LogCaptureFixture) -> None:
    events.step_resume(ORDER, step="paid", event="timeout", source="timeout", waited=1.5)

    (record,) = caplog.records
    assert 1500.0 == fields(record)["duration_ms"]


@pytest.mark.usefixtures("attached")
def test_an_unknown_duration_leaves_no_blank(caplog: pytest.LogCaptureFixture) -> None:
    stop(duration=None)

    (record,) = caplog.records
    assert "[orderid::42] step charge finished with charged" == record.getMessage()
    assert "duration_ms" not in fields(record)


@pytest.mark.usefixtures("attached")
def test_the_stack_trace_follows_a_failed_step(caplog: pytest.LogCaptureFixture) -> None:
    fail("Traceback (most recent call last):\n  …\nValueError: declined\n")

    (record,) = caplog.records
    assert record.getMessage().endswith(
        "ValueError: declined\nTraceback (most recent call last):\n  …\nValueError: declined"
    )


@pytest.mark.usefixtures("attached")
def test_a_failure_of_no_step_and_a_join_that_waits_read_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events.workflow_exception(
        ORDER,
        duration=None,
        kind="UnknownWorkflow",
        reason="gone",
        stacktrace=None,
        failed_step=None,
        runner="LocalRunner",
    )
    events.workflow_transition(ORDER, source="a", event="done", targets=[])
    events.workflow_start(ORDER, initial_step="validate", runner="LocalRunner")

    assert [
        "[orderid::42] workflow shop.OrderFlow failed: UnknownWorkflow: gone",
        "[orderid::42] a --done--> nothing",
        "[orderid::42] workflow shop.OrderFlow v1 started at validate",
    ] == [record.getMessage() for record in caplog.records]


@pytest.mark.usefixtures("attached")
def test_a_percent_sign_in_a_name_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
    events.step_async(ORDER, step="50%s", attempt=1, duration=None)

    (record,) = caplog.records
    assert "[orderid::42] step 50%s is waiting" == record.getMessage()


@pytest.mark.usefixtures("attached")
def test_lines_below_the_loggers_level_are_not_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "hephaestus")

    emit_all()

    assert {"ERROR"} == {record.levelname for record in caplog.records}


def test_the_level_of_ordinary_events_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    log.attach(id="mine", level=logging.DEBUG)

    stop()
    fail(None)
    log.detach(id="mine")

    assert ["DEBUG", "ERROR"] == [record.levelname for record in caplog.records]


def test_the_level_of_one_event_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    log.attach(id="mine", levels={STEP_STOP: logging.DEBUG, "hephaestus.step.exception": 25})

    stop()
    fail(None)
    log.detach(id="mine")

    assert [logging.DEBUG, 25] == [record.levelno for record in caplog.records]


def test_the_events_can_be_restricted(caplog: pytest.LogCaptureFixture) -> None:
    log.attach(id="mine", events=[STEP_STOP])

    emit_all()
    log.detach(id="mine")

    (record,) = caplog.records
    assert "finished with charged" in record.getMessage()


def test_a_level_for_an_unknown_event_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no telemetry event"):
        log.attach(levels={"hephaestus.step.stopped": logging.DEBUG})

    assert not any(map(listening, EVENTS))


@pytest.mark.usefixtures("attached")
def test_attaching_twice_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="already attached"):
        log.attach()

    assert listening(WORKFLOW_START)


def test_detaching_when_absent_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no telemetry handler"):
        log.detach()

    assert not listening(STEP_START)
