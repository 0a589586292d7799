"""The metric definitions are values that any reporter can read."""

from typing import Any

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.telemetry import EVENTS
from hephaestus.telemetry.metrics import METRICS, in_scope


def named(name: str) -> Any:
    return next(metric for metric in METRICS if metric.name == f"hephaestus.{name}")


def test_there_are_nine_metrics_of_three_kinds() -> None:
    kinds = {metric.name.removeprefix("hephaestus."): metric.kind for metric in METRICS}

    assert {
        "workflow.start.count": "counter",
        "workflow.stop.count": "counter",
        "workflow.exception.count": "counter",
        "workflow.stop.duration": "distribution",
        "step.stop.duration": "distribution",
        "step.exception.count": "counter",
        "step.async.count": "counter",
        "step.resume.wait_duration": "distribution",
        "engine.advance.active_steps_count": "last_value",
    } == kinds
    assert 9 == len(METRICS)


def test_every_metric_is_named_after_the_event_it_is_taken_from() -> None:
    assert all(metric.event in EVENTS for metric in METRICS)
    assert all(metric.name.startswith(f"{metric.event}.") for metric in METRICS)


@pytest.mark.parametrize(("scope", "count"), [("workflow", 4), ("step", 4), ("engine", 1)])
def test_metrics_are_chosen_by_scope(scope: Any, count: int) -> None:
    metrics = in_scope(scope)

    assert count == len(metrics)
    assert {scope} == {metric.scope for metric in metrics}


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="scopes: workflow, step, engine"):
        in_scope("runner")  # type: ignore[arg-type]  # the point of the test


def test_the_tags_tell_workflows_steps_and_causes_apart() -> None:
    tags = {metric.name.removeprefix("hephaestus."): metric.tags for metric in METRICS}

    assert {
        "workflow.start.count": ("workflow",),
        "workflow.stop.count": ("workflow",),
        "workflow.exception.count": ("workflow", "failed_step"),
        "workflow.stop.duration": ("workflow",),
        "step.stop.duration": ("workflow", "step"),
        "step.exception.count": ("workflow", "step", "kind"),
        "step.async.count": ("workflow", "step"),
        "step.resume.wait_duration": ("workflow", "step", "source"),
        "engine.advance.active_steps_count": ("workflow",),
    } == tags


def test_a_counter_counts_events() -> None:
    assert 1 == named("workflow.stop.count").value({"duration": None})


def test_a_distribution_is_in_milliseconds() -> None:
    metric = named("step.resume.wait_duration")

    assert "ms" == metric.unit
    assert 1500 == metric.value({"wait_duration": 1.5, "system_time": 0.0})


def test_an_unknown_duration_is_not_reported() -> None:
    metric = named("step.stop.duration")

    assert metric.value({"duration": None}) is None
    assert metric.value({}) is None


def test_a_last_value_is_reported_as_it_is() -> None:
    assert 0 == named("engine.advance.active_steps_count").value({"active_steps_count": 0})


def test_labels_are_the_tags_that_the_event_has() -> None:
    metric = named("workflow.exception.count")

    labels = metric.labels({"workflow": "shop.OrderFlow", "failed_step": None, "runner": "x"})

    assert {"workflow": "shop.OrderFlow"} == labels


def test_a_metric_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        METRICS[0].name = "other"  # type: ignore[misc]  # the point of the test
