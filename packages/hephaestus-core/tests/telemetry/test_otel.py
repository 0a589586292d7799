"""OpenTelemetry gets the metrics from when it is attached until it is detached."""

import importlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from hephaestus.errors import InvalidArgument
from hephaestus.instance import Instance
from hephaestus.telemetry import EVENTS, events, otel
from hephaestus.telemetry.bus import listening

ORDER = Instance(id="orderid::42", workflow="shop.OrderFlow", status="completed")


class Measured:
    """The metrics that an application would have exported."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider(metric_readers=[self._reader])

    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        return {
            metric.name.removeprefix("hephaestus."): list(metric.data.data_points)
            for metric in scope.metrics
        }


@pytest.fixture
def provided() -> Iterator[Measured]:
    measured = Measured()
    yield measured
    measured.meter_provider.shutdown()


@pytest.fixture
def measured(provided: Measured) -> Iterator[Measured]:
    otel.attach(meter_provider=provided.meter_provider)
    yield provided
    otel.detach()


def stop(duration: float | None = 0.25) -> None:
    events.step_stop(
        ORDER,
        step="charge",
        attempt=1,
        duration=duration,
        event="charged",
        has_data=True,
        has_metadata=False,
    )


def fail() -> None:
    events.step_exception(
        ORDER,
        step="charge",
        attempt=1,
        duration=0.25,
        kind="ValueError",
        reason="declined",
        stacktrace=None,
    )


def test_all_nine_metrics_are_reported(measured: Measured) -> None:
    events.workflow_start(ORDER, initial_step="charge", runner="LocalRunner")
    fail()
    stop()
    events.step_async(ORDER, step="paid", attempt=1, duration=0.1)
    events.step_resume(ORDER, step="paid", event="received", source="external", waited=3)
    events.engine_advance(ORDER, duration=0.1, before="running", steps_completed=1, iteration=1)
    events.workflow_stop(ORDER, duration=2, step_count=1, advance_count=2, runner="LocalRunner")
    events.workflow_exception(
        ORDER,
        duration=2,
        kind="ValueError",
        reason="declined",
        stacktrace=None,
        failed_step="charge",
        runner="LocalRunner",
    )

    points = measured.points()
    counts = {name: p.value for name, (p,) in points.items() if hasattr(p, "value")}
    sums = {name: p.sum for name, (p,) in points.items() if hasattr(p, "sum")}
    assert {
        "workflow.start.count": 1,
        "workflow.stop.count": 1,
        "workflow.exception.count": 1,
        "step.exception.count": 1,
        "step.async.count": 1,
        "engine.advance.active_steps_count": 0,
    } == counts
    assert {
        "workflow.stop.duration": 2000,
        "step.stop.duration": 250,
        "step.resume.wait_duration": 3000,
    } == sums


def test_metrics_carry_their_tags_and_no_others(measured: Measured) -> None:
    fail()

    (point,) = measured.points()["step.exception.count"]
    assert {
        "workflow": "shop.OrderFlow",
        "step": "charge",
        "kind": "ValueError",
    } == dict(point.attributes)


def test_an_unknown_duration_is_no_measurement(measured: Measured) -> None:
    stop(duration=None)

    assert "step.stop.duration" not in measured.points()


def test_attaching_twice_is_refused_and_the_first_goes_on(measured: Measured) -> None:
    with pytest.raises(InvalidArgument, match="already attached"):
        otel.attach(meter_provider=measured.meter_provider)

    fail()
    assert 1 == measured.points()["step.exception.count"][0].value


def test_it_can_be_attached_again(provided: Measured, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        otel.attach(meter_provider=provided.meter_provider)
        otel.detach()

    assert not caplog.records


def test_detaching_when_absent_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no telemetry handler"):
        otel.detach()


def test_without_providers_the_global_ones_are_used() -> None:
    otel.attach(id="mine")

    stop()

    assert listening(EVENTS[0])
    otel.detach(id="mine")


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_none_and_all(ratio: float) -> None:
    with pytest.raises(InvalidArgument, match="between 0 and 1"):
        otel.attach(sample_ratio=ratio)

    assert not any(map(listening, EVENTS))


def test_without_opentelemetry_the_import_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "hephaestus.telemetry.otel")

    with pytest.raises(ImportError, match=r'pip install "hephaestus-core\[otel\]"'):
        importlib.import_module("hephaestus.telemetry.otel")
