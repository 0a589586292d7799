import pytest

from hephaestus import Done, InvalidArgument, StepContext, Workflow, step, telemetry
from hephaestus.testing import Harness, TelemetryEvent, capture_events


@step
async def count(ctx: StepContext) -> object:
    return {"number": 1}


@step
async def fail(ctx: StepContext) -> object:
    raise LookupError("nothing there")


class Counting(Workflow, unique="counting"):
    start_step = count
    transitions = {count: {"done": fail}, fail: {"done": Done}}


async def test_telemetry_events_are_kept_with_numbers_and_metadata() -> None:
    with capture_events("hephaestus.step.stop", "hephaestus.workflow.start") as events:
        await Harness(Counting, replace={fail: {}}).run()

    stopped = events.named("hephaestus.step.stop")
    assert ["count", "fail"] == [event.metadata["step"] for event in stopped]
    assert all((event.measurements["duration"] or 0) > 0 for event in stopped)
    assert "hephaestus.workflow.start" == events.names[0]


async def test_all_telemetry_events_are_kept_where_none_is_named() -> None:
    with capture_events() as events:
        await Harness(Counting, replace={fail: {}}).run()

    assert {"hephaestus.engine.advance", "hephaestus.step.start"} < set(events.names)


async def test_telemetry_events_are_found_by_their_metadata() -> None:
    with capture_events() as events:
        await Harness(Counting).run()

    found = events.named("hephaestus.step.exception").where(step="fail", attempt=2)
    assert ["LookupError"] == [event.metadata["kind"] for event in found]
    assert [] == events.where(step="count", attempt=2)


async def test_one_telemetry_event_is_found_or_the_test_fails() -> None:
    with capture_events() as events:
        await Harness(Counting, replace={fail: {}}).run()

    assert "count" == events.one("hephaestus.step.start", step="count").metadata["step"]
    with pytest.raises(AssertionError, match=r"2 telemetry events are 'hephaestus\.step\.start'"):
        events.one("hephaestus.step.start")
    with pytest.raises(AssertionError, match="step='missing'"):
        events.one("hephaestus.step.start", step="missing")


async def test_metadata_that_cannot_be_hashed_is_compared() -> None:
    with capture_events("hephaestus.workflow.start") as events:
        await Harness(Counting, replace={fail: {}}).run({"a": 1})

    assert 1 == len(events.where(initial_keys=("a",), runner="harness"))
    assert [] == events.where(initial_keys=["a"])


async def test_nothing_is_kept_outside_the_block() -> None:
    with capture_events() as events:
        pass

    await Harness(Counting, replace={fail: {}}).run()

    assert [] == events


def test_a_block_that_raises_leaves_no_handler_behind() -> None:
    with pytest.raises(RuntimeError), capture_events():
        raise RuntimeError

    assert not telemetry.bus.listening("hephaestus.step.start")


def test_blocks_may_be_nested() -> None:
    with capture_events("hephaestus.runner.init") as outer, capture_events() as inner:
        telemetry.bus.emit("hephaestus.runner.init", {}, {})

    assert [TelemetryEvent("hephaestus.runner.init", {}, {})] == outer == inner


def test_an_unknown_name_is_refused() -> None:
    with (
        pytest.raises(InvalidArgument, match=r"did you mean 'hephaestus\.step\.stop'"),
        capture_events("hephaestus.step.stopp"),
    ):
        pass
