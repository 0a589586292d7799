"""Each telemetry event carries the numbers and fields that are promised for it."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from hephaestus.context import Context
from hephaestus.instance import ActiveStep, FinishedStep, Instance
from hephaestus.telemetry import EVENTS, attach, detach, events

NOW = datetime(2026, 1, 1, tzinfo=UTC)

ORDER = Instance(
    id="orderid::42",
    run_id="01890f3a-0000-7000-8000-000000000001",
    workflow="shop.OrderFlow",
    workflow_version=2,
    status="running",
    context=Context(initial={"card": "4111-1111", "items": 3}),
    active={"ship": ActiveStep(since=NOW), "invoice": ActiveStep(since=NOW)},
    finished={
        "validate": FinishedStep(event="valid"),
        "charge": FinishedStep(event="charged"),
        "refund": FinishedStep(),
    },
    telemetry_metadata={"request_id": "req-7"},
)

BUILT_IN = {
    "instance_id": "orderid::42",
    "run_id": "01890f3a-0000-7000-8000-000000000001",
    "workflow": "shop.OrderFlow",
    "workflow_version": 2,
}
ABOUT = {"request_id": "req-7", **BUILT_IN}


class Seen:
    """The telemetry events of a test."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any], dict[str, Any]]] = []

    def record(self, name: str, measurements: Any, metadata: Any) -> None:
        self.events.append((name, measurements, metadata))

    def the(self, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
        ((name, measurements, metadata),) = self.events
        assert f"hephaestus.{kind}" == name
        return measurements, metadata


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    attach("test_events", EVENTS, seen.record)
    yield seen
    detach("test_events")


def emit_all(instance: Instance) -> None:
    about: Any = {"step": "charge", "attempt": 1}
    failure: Any = {"kind": "ValueError", "reason": "declined", "stacktrace": None}
    events.workflow_start(instance, initial_step="validate", runner="LocalRunner")
    events.workflow_stop(instance, duration=1, step_count=2, advance_count=3, runner="LocalRunner")
    events.workflow_exception(
        instance, duration=1, failed_step="charge", runner="LocalRunner", **failure
    )
    events.workflow_transition(instance, source="charge", event="charged", targets=["ship"])
    events.step_start(instance, concurrent=False, active=1, **about)
    events.step_stop(
        instance, duration=1, event="charged", has_data=True, has_metadata=False, **about
    )
    events.step_exception(instance, duration=1, **about, **failure)
    events.step_async(instance, duration=1, **about)
    events.step_resume(instance, step="charge", event="paid", source="external", waited=1)
    events.engine_advance(instance, duration=1, before="running", steps_completed=1, iteration=1)
    events.runner_init(app="default", runner="LocalRunner", storage="MemoryStorage")


def is_now(system_time: object) -> bool:
    return isinstance(system_time, float) and abs(time.time() - system_time) < 60


def test_workflow_start_tells_when_where_and_with_what_keys(seen: Seen) -> None:
    events.workflow_start(ORDER, initial_step="validate", runner="LocalRunner")

    measurements, metadata = seen.the("workflow.start")
    assert {"system_time"} == set(measurements)
    assert is_now(measurements["system_time"])
    assert {
        **ABOUT,
        "initial_step": "validate",
        "runner": "LocalRunner",
        "initial_keys": ("card", "items"),
    } == metadata


def test_workflow_stop_counts_steps_and_advances(seen: Seen) -> None:
    done = structs.replace(ORDER, status="completed")

    events.workflow_stop(done, duration=12.5, step_count=3, advance_count=4, runner="LocalRunner")

    assert (
        {"duration": 12.5, "step_count": 3, "advance_count": 4},
        {
            **ABOUT,
            "status": "completed",
            "completed_steps": ("charge", "validate"),
            "runner": "LocalRunner",
        },
    ) == seen.the("workflow.stop")


def test_workflow_exception_tells_what_failed(seen: Seen) -> None:
    events.workflow_exception(
        ORDER,
        duration=2,
        kind="ValueError",
        reason="declined",
        stacktrace="Traceback …",
        failed_step="charge",
        runner="LocalRunner",
    )

    assert (
        {"duration": 2.0},
        {
            **ABOUT,
            "kind": "ValueError",
            "reason": "declined",
            "stacktrace": "Traceback …",
            "status": "failed",
            "failed_step": "charge",
            "runner": "LocalRunner",
        },
    ) == seen.the("workflow.exception")


@pytest.mark.parametrize(
    ("targets", "fan_out"), [([], False), (["ship"], False), (["ship", "invoice"], True)]
)
def test_a_transition_is_a_fan_out_only_above_one_target(
    seen: Seen, targets: list[str], fan_out: bool
) -> None:
    events.workflow_transition(ORDER, source="charge", event="charged", targets=targets)

    assert (
        {"targets_count": len(targets)},
        {
            **ABOUT,
            "source": "charge",
            "event": "charged",
            "targets": tuple(targets),
            "fan_out": fan_out,
        },
    ) == seen.the("workflow.transition")


def test_step_start_tells_how_many_steps_are_active(seen: Seen) -> None:
    events.step_start(ORDER, step="ship", attempt=1, concurrent=True, active=2)

    measurements, metadata = seen.the("step.start")
    assert {"system_time"} == set(measurements)
    assert is_now(measurements["system_time"])
    assert {
        **ABOUT,
        "step": "ship",
        "attempt": 1,
        "concurrent": True,
        "active_steps_count": 2,
    } == metadata


def test_step_stop_tells_the_event_and_what_came_with_it(seen: Seen) -> None:
    events.step_stop(
        ORDER,
        step="ship",
        attempt=2,
        duration=0.25,
        event="shipped",
        has_data=True,
        has_metadata=False,
    )

    assert (
        {"duration": 0.25},
        {
            **ABOUT,
            "step": "ship",
            "attempt": 2,
            "event": "shipped",
            "has_data": True,
            "has_metadata": False,
        },
    ) == seen.the("step.stop")


def test_step_exception_tells_kind_reason_and_trace(seen: Seen) -> None:
    events.step_exception(
        ORDER,
        step="ship",
        attempt=1,
        duration=0.25,
        kind="OSError",
        reason="unreachable",
        stacktrace=None,
    )

    assert (
        {"duration": 0.25},
        {
            **ABOUT,
            "step": "ship",
            "attempt": 1,
            "kind": "OSError",
            "reason": "unreachable",
            "stacktrace": None,
        },
    ) == seen.the("step.exception")


def test_step_async_says_that_it_waits(seen: Seen) -> None:
    events.step_async(ORDER, step="paid", attempt=1, duration=0.5)

    assert (
        {"duration": 0.5},
        {**ABOUT, "step": "paid", "attempt": 1, "status": "waiting"},
    ) == seen.the("step.async")


def test_step_async_says_that_it_is_halted(seen: Seen) -> None:
    events.step_async(ORDER, step="approve", attempt=1, duration=0.5, status="halted")

    _, metadata = seen.the("step.async")
    assert "halted" == metadata["status"]


@pytest.mark.parametrize("source", ["external", "timeout"])
def test_step_resume_tells_the_source_and_the_wait(seen: Seen, source: Any) -> None:
    events.step_resume(ORDER, step="paid", event="received", source=source, waited=60)

    measurements, metadata = seen.the("step.resume")
    assert {"system_time", "wait_duration"} == set(measurements)
    assert is_now(measurements["system_time"])
    assert 60.0 == measurements["wait_duration"]
    assert {**ABOUT, "step": "paid", "event": "received", "source": source} == metadata


def test_engine_advance_tells_status_before_and_after(seen: Seen) -> None:
    events.engine_advance(ORDER, duration=0.001, before="pending", steps_completed=1, iteration=4)

    assert (
        {"duration": 0.001, "active_steps_count": 2, "completed_in_advance": 1},
        {**ABOUT, "status_before": "pending", "status_after": "running", "iteration": 4},
    ) == seen.the("engine.advance")


def test_runner_init_tells_app_runner_storage_and_process(seen: Seen) -> None:
    events.runner_init(app="shop", runner="LocalRunner", storage="MemoryStorage")

    measurements, metadata = seen.the("runner.init")
    assert {"system_time"} == set(measurements)
    assert is_now(measurements["system_time"])
    assert {
        "app": "shop",
        "runner": "LocalRunner",
        "storage": "MemoryStorage",
        "process": os.getpid(),
    } == metadata


def test_every_event_has_its_function(seen: Seen) -> None:
    emit_all(ORDER)

    assert list(EVENTS) == [name for name, _, _ in seen.events]


def test_every_event_of_a_run_names_it_and_carries_the_callers_metadata(seen: Seen) -> None:
    emit_all(ORDER)

    of_run = [metadata for name, _, metadata in seen.events if name != "hephaestus.runner.init"]
    assert all(metadata.items() >= ABOUT.items() for metadata in of_run)


def test_the_callers_metadata_overrides_nothing(seen: Seen) -> None:
    clash = {**dict.fromkeys(BUILT_IN, "mine"), "step": "mine", "runner": "mine", "ours": "mine"}
    instance = structs.replace(ORDER, telemetry_metadata=clash)

    events.step_start(instance, step="ship", attempt=1, concurrent=False, active=1)

    _, metadata = seen.the("step.start")
    assert metadata.items() >= {**BUILT_IN, "step": "ship"}.items()
    assert metadata.items() >= {"runner": "mine", "ours": "mine"}.items()


@pytest.mark.parametrize("duration", [None, -0.001, float("nan")])
def test_a_duration_that_makes_no_sense_is_none(seen: Seen, duration: float | None) -> None:
    events.step_async(ORDER, step="paid", attempt=1, duration=duration)

    measurements, _ = seen.the("step.async")
    assert {"duration": None} == measurements


def test_no_data_of_the_run_shows_in_any_event(seen: Seen) -> None:
    emit_all(ORDER)

    assert "4111" not in repr(seen.events)


def test_nothing_is_built_when_nobody_listens() -> None:
    nothing: Any = None  # would raise as soon as it is asked for anything

    emit_all(nothing)
