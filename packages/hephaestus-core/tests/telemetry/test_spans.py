"""Every attempt of a step and every run is a span; all spans of a run share its trace."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hephaestus.instance import Instance
from hephaestus.telemetry import EVENTS, events, otel, spans
from hephaestus.telemetry.bus import listening

RUN = "01890f3a-1234-7000-8000-0000000000ff"
TRACE_ID = uuid.UUID(RUN).int
ORDER = Instance(
    id="orderid::42",
    run_id=RUN,
    workflow="shop.OrderFlow",
    workflow_version=2,
    status="completed",
    telemetry_metadata={"request_id": "req-7", "nested": {"a": 1}, "huge": 2**64},
)


class Recorded:
    """What an application would have exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.tracer_provider.get_tracer("application")

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def span(self, name: str) -> Any:
        (span,) = [span for span in self.spans() if span.name == name]
        return span


@pytest.fixture
def providers() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.tracer_provider.shutdown()


@pytest.fixture
def recorded(providers: Recorded) -> Iterator[Recorded]:
    otel.attach(providers.tracer_provider)
    yield providers
    otel.detach()


def start(step: str = "charge", attempt: int = 1, instance: Instance = ORDER) -> None:
    events.step_start(instance, step=step, attempt=attempt, concurrent=False, active=1)


def stop(
    step: str = "charge",
    attempt: int = 1,
    duration: float | None = 0.25,
    instance: Instance = ORDER,
) -> None:
    events.step_stop(
        instance,
        step=step,
        attempt=attempt,
        duration=duration,
        event="charged",
        has_data=True,
        has_metadata=False,
    )


def fail(attempt: int = 1) -> None:
    events.step_exception(
        ORDER,
        step="charge",
        attempt=attempt,
        duration=0.25,
        kind="ValueError",
        reason="declined",
        stacktrace="Traceback …",
    )


def end_run(duration: float | None = 2.0) -> None:
    events.workflow_stop(
        ORDER, duration=duration, step_count=1, advance_count=2, runner="LocalRunner"
    )


def fail_run() -> None:
    events.workflow_exception(
        ORDER,
        duration=2.0,
        kind="ValueError",
        reason="declined",
        stacktrace=None,
        failed_step="charge",
        runner="LocalRunner",
    )


def test_an_attempt_of_a_step_is_a_span(recorded: Recorded) -> None:
    start()
    stop()

    span = recorded.span("step charge")
    assert span.status.status_code is StatusCode.UNSET
    assert {
        "hephaestus.instance_id": "orderid::42",
        "hephaestus.run_id": RUN,
        "hephaestus.workflow": "shop.OrderFlow",
        "hephaestus.workflow_version": 2,
        "hephaestus.step": "charge",
        "hephaestus.attempt": 1,
        "hephaestus.concurrent": False,
        "hephaestus.active_steps_count": 1,
        "hephaestus.event": "charged",
        "hephaestus.has_data": True,
        "hephaestus.has_metadata": False,
        "hephaestus.request_id": "req-7",
    } == dict(span.attributes)


def test_a_failed_attempt_is_a_span_with_its_exception(recorded: Recorded) -> None:
    start()
    fail()

    span = recorded.span("step charge")
    (event,) = span.events
    assert (StatusCode.ERROR, "declined") == (span.status.status_code, span.status.description)
    assert "exception" == event.name
    assert {
        "exception.type": "ValueError",
        "exception.message": "declined",
        "exception.stacktrace": "Traceback …",
    } == dict(event.attributes)


def test_a_callers_own_reason_makes_no_failure(recorded: Recorded) -> None:
    order = Instance(id="a", run_id=RUN, workflow="W", telemetry_metadata={"reason": "refill"})

    start(instance=order)
    stop(instance=order)

    assert recorded.span("step charge").status.status_code is StatusCode.UNSET


def test_a_suspended_attempt_ends_its_span(recorded: Recorded) -> None:
    start("paid")
    events.step_async(ORDER, step="paid", attempt=1, duration=0.1)

    assert "waiting" == recorded.span("step paid").attributes["hephaestus.status"]


def test_each_attempt_has_a_span_of_its_own(recorded: Recorded) -> None:
    start(attempt=1)
    fail(attempt=1)
    start(attempt=2)
    stop(attempt=2)

    attempts = [dict(span.attributes or {})["hephaestus.attempt"] for span in recorded.spans()]
    assert [1, 2] == attempts


def test_a_run_is_a_span_from_its_start_to_its_end(recorded: Recorded) -> None:
    end_run(duration=2.0)

    span = recorded.span("workflow shop.OrderFlow")
    assert 2_000_000_000 == span.end_time - span.start_time
    assert "completed" == span.attributes["hephaestus.status"]
    assert span.status.status_code is StatusCode.UNSET


def test_a_run_that_failed_is_a_span_with_its_error(recorded: Recorded) -> None:
    fail_run()

    span = recorded.span("workflow shop.OrderFlow")
    assert span.status.status_code is StatusCode.ERROR
    assert "charge" == span.attributes["hephaestus.failed_step"]


def test_a_run_of_unknown_duration_is_a_span_all_the_same(recorded: Recorded) -> None:
    end_run(duration=None)

    span = recorded.span("workflow shop.OrderFlow")
    assert span.end_time == span.start_time


def test_the_run_id_is_the_trace_id_in_every_process(providers: Recorded) -> None:
    elsewhere = Recorded()
    otel.attach(providers.tracer_provider)
    start()
    stop()
    otel.detach()
    otel.attach(elsewhere.tracer_provider)
    start("ship")
    stop("ship")
    end_run()
    otel.detach()

    here, *there = providers.spans() + elsewhere.spans()
    assert here.context is not None
    assert TRACE_ID == here.context.trace_id
    assert {TRACE_ID} == {span.context.trace_id for span in there if span.context}
    assert all(span.parent == otel.run_context(RUN) for span in (here, *there))


def test_a_step_is_linked_to_its_run(recorded: Recorded) -> None:
    start()
    stop()

    (link,) = recorded.span("step charge").links
    assert otel.run_context(RUN) == link.context


def test_a_step_is_linked_to_the_span_that_executes_it(recorded: Recorded) -> None:
    with recorded.tracer.start_as_current_span("process message") as caller:
        start()
        stop()

    links = [link.context for link in recorded.span("step charge").links]
    assert [otel.run_context(RUN), caller.get_span_context()] == links


def test_the_span_that_starts_a_run_is_linked_to_it(recorded: Recorded) -> None:
    with recorded.tracer.start_as_current_span("POST /orders"):
        events.workflow_start(ORDER, initial_step="charge", runner="LocalRunner")

    (link,) = recorded.span("POST /orders").links
    assert otel.run_context(RUN) == link.context
    assert "orderid::42" == link.attributes["hephaestus.instance_id"]


def test_spans_of_the_body_nest_below_the_step(recorded: Recorded) -> None:
    start()
    with recorded.tracer.start_as_current_span("SELECT"):
        pass
    stop()

    query = recorded.span("SELECT")
    assert recorded.span("step charge").context == query.parent


def test_after_the_step_the_span_from_before_is_current_again(recorded: Recorded) -> None:
    with recorded.tracer.start_as_current_span("process message") as caller:
        start()
        stop()

        assert trace.get_current_span() is caller


async def test_steps_side_by_side_keep_their_spans_apart(recorded: Recorded) -> None:
    both_started = asyncio.Barrier(2)

    async def execute(step: str) -> None:
        start(step)
        await both_started.wait()
        with recorded.tracer.start_as_current_span(f"inside {step}"):
            await both_started.wait()
        stop(step)

    await asyncio.gather(execute("ship"), execute("invoice"))

    for step in ("ship", "invoice"):
        inside = recorded.span(f"inside {step}")
        assert recorded.span(f"step {step}").context == inside.parent


async def test_a_step_may_end_in_another_task_than_it_began(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        start()

    with recorded.tracer.start_as_current_span("loop") as loop:
        await asyncio.create_task(body())
        stop()

        assert trace.get_current_span() is loop
    assert recorded.span("step charge").end_time is not None
    assert not caplog.records


def test_an_end_without_a_start_is_passed_over(recorded: Recorded) -> None:
    stop()
    fail()

    assert () == recorded.spans()
    assert listening(EVENTS[0])


def test_detaching_ends_what_is_open(providers: Recorded) -> None:
    otel.attach(providers.tracer_provider)
    start()

    otel.detach()

    assert providers.span("step charge").attributes["hephaestus.left_open"] is True


def test_an_attempt_that_starts_twice_gives_up_its_first_span(recorded: Recorded) -> None:
    start()
    start()
    stop()

    left = [dict(span.attributes or {}).get("hephaestus.left_open") for span in recorded.spans()]
    assert [True, None] == left


def test_open_spans_are_bounded(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MAX_OPEN_SPANS", 2)

    for step in ("a", "b", "c", "d"):
        start(step)

    assert ["step a", "step b"] == [span.name for span in recorded.spans()]


def test_an_id_that_is_no_uuid_has_a_trace_too() -> None:
    one, same, other = (otel.run_context(run_id) for run_id in ("run 1", "run 1", "run 2"))

    assert same == one
    assert one.is_valid
    assert one.trace_id != other.trace_id


def test_the_nil_uuid_has_a_valid_trace() -> None:
    assert otel.run_context(str(uuid.UUID(int=0))).is_valid


def test_a_sampled_share_goes_by_the_run(providers: Recorded) -> None:
    low = Instance(id="a", run_id="01890f3a-1234-7000-8000-0000000000ff", workflow="W")
    high = Instance(id="b", run_id="01890f3a-1234-7000-80ff-0000000000ff", workflow="W")
    otel.attach(providers.tracer_provider, sample_ratio=0.5)

    for instance in (low, high):
        start(instance=instance)
        stop(instance=instance)
    otel.detach()

    run_ids = [dict(span.attributes or {})["hephaestus.run_id"] for span in providers.spans()]
    assert [low.run_id] == run_ids


def test_a_share_of_one_samples_every_run(recorded: Recorded) -> None:
    last = Instance(id="a", run_id="ffffffff-ffff-7fff-bfff-ffffffffffff", workflow="W")

    start(instance=last)
    stop(instance=last)

    assert 1 == len(recorded.spans())
