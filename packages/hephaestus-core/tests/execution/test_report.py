"""What a run tells the listeners of telemetry, from its start to its end."""

from typing import Any

from hephaestus import (
    Done,
    Halt,
    Hephaestus,
    Retry,
    StepContext,
    Suspend,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.testing import CapturedEvents, capture_events

ONCE = Retry(1)


@step(retry=ONCE)
async def prepare(ctx: StepContext) -> Any:
    return "done", {"ready": True}, {"by": "robot"}


@step(retry=ONCE)
async def pack(ctx: StepContext) -> None: ...


@step(retry=ONCE)
async def bill(ctx: StepContext) -> None: ...


@step(retry=ONCE)
async def send(ctx: StepContext) -> None: ...


@step(retry=ONCE)
async def explode(ctx: StepContext) -> None:
    raise ValueError("no lid")


@step(events=("yes",))
async def ask(ctx: StepContext) -> Halt:
    return Halt()


@step(events=("yes",))
async def ask_elsewhere(ctx: StepContext) -> Suspend:
    return Suspend()


paid = WaitForEvent("paid")
pause = Wait(0.001)


class Shipping(Workflow, unique="shipping"):
    start_step = prepare
    transitions = {
        prepare: {"done": [pack, bill]},
        pack: {"done": send},
        bill: {"done": send},
        send: {"done": Done},
    }


class Waiting(Workflow, unique="waiting"):
    start_step = paid
    transitions = {paid: {"received": pause}, pause: {"timeout": Done}}


class Asking(Workflow, unique="asking"):
    start_step = ask
    transitions = {ask: {"yes": ask_elsewhere}, ask_elsewhere: {"yes": Done}}


class Exploding(Workflow, unique="exploding"):
    start_step = explode
    transitions = {explode: {"done": Done}}


async def shipped(**start: Any) -> CapturedEvents:
    async with Hephaestus():
        with capture_events() as events:
            run = await Shipping.start("1", {"lines": 2, "gift": True}, **start)
            await run.wait(5)
    return events


async def test_a_run_tells_of_its_start_and_of_its_end() -> None:
    events = await shipped()

    start = events.one("hephaestus.workflow.start")
    stop = events.one("hephaestus.workflow.stop")
    assert ("prepare", "local", ("lines", "gift")) == (
        start.metadata["initial_step"],
        start.metadata["runner"],
        start.metadata["initial_keys"],
    )
    assert ("completed", ("bill", "done", "pack", "prepare", "send")) == (
        stop.metadata["status"],
        stop.metadata["completed_steps"],
    )
    assert 5 == stop.measurements["step_count"]
    assert len(events.named("hephaestus.engine.advance")) == stop.measurements["advance_count"]
    assert stop.measurements["duration"] is not None


async def test_every_branch_tells_of_its_transition_and_the_last_one_has_the_target() -> None:
    events = await shipped()

    transitions = [
        (e.metadata["source"], e.metadata["targets"], e.metadata["fan_out"])
        for e in events.named("hephaestus.workflow.transition")
    ]
    assert ("prepare", ("pack", "bill"), True) == transitions[0]
    assert {("pack", (), False), ("bill", ("send",), False)} == set(transitions[1:3]) or {
        ("bill", (), False),
        ("pack", ("send",), False),
    } == set(transitions[1:3])
    assert [("send", ("done",), False), ("done", (), False)] == transitions[3:]


async def test_a_step_tells_whether_it_runs_beside_others_and_what_it_returned() -> None:
    events = await shipped()

    prepared = events.one("hephaestus.step.stop", step="prepare")
    packed = events.one("hephaestus.step.stop", step="pack")
    assert (True, True, "done") == (
        prepared.metadata["has_data"],
        prepared.metadata["has_metadata"],
        prepared.metadata["event"],
    )
    assert (False, False) == (packed.metadata["has_data"], packed.metadata["has_metadata"])
    concurrent = {
        e.metadata["step"]: e.metadata["concurrent"] for e in events.named("hephaestus.step.start")
    }
    assert {"prepare": False, "pack": True, "bill": True, "send": False} == concurrent


async def test_every_event_bears_the_run_above_what_the_caller_gave() -> None:
    events = await shipped(telemetry_metadata={"tenant": "acme", "run_id": "x", "workflow": "y"})

    assert {"acme"} == {event.metadata["tenant"] for event in events}
    assert {Shipping.name} == {event.metadata["workflow"] for event in events}
    assert "x" not in {event.metadata["run_id"] for event in events}


async def test_a_wait_tells_of_its_beginning_and_of_its_end() -> None:
    async with Hephaestus():
        with capture_events("hephaestus.step.async", "hephaestus.step.resume") as events:
            run = await Waiting.start("1", {})
            await run.resume("paid")
            await run.wait(5)

    told = [(e.name.rpartition(".")[2], e.metadata["step"]) for e in events]
    assert [("async", "paid"), ("resume", "paid"), ("async", "wait"), ("resume", "wait")] == told
    assert ["waiting", "waiting"] == [e.metadata["status"] for e in events[::2]]
    assert ["external", "timeout"] == [e.metadata["source"] for e in events[1::2]]


async def test_a_halt_and_a_suspension_are_told_of_once() -> None:
    async with Hephaestus():
        with capture_events("hephaestus.step.async", "hephaestus.step.resume") as events:
            run = await Asking.start("1", {})
            await run.wait(5)
            await run.resume("yes", step=ask)
            await run.wait(5, until="waiting")
            await run.resume("yes", step=ask_elsewhere)
            await run.wait(5)

    told = [(e.metadata["step"], e.metadata.get("status", "resumed")) for e in events]
    assert [
        ("ask", "halted"),
        ("ask", "resumed"),
        ("ask_elsewhere", "waiting"),
        ("ask_elsewhere", "resumed"),
    ] == told


async def test_a_failure_names_its_step_and_a_retry_is_no_new_start() -> None:
    async with Hephaestus():
        with capture_events() as events:
            run = await Exploding.start("1", {})
            await run.wait(5)
            await run.retry()
            await run.wait(5)

    first, second = events.named("hephaestus.workflow.exception")
    assert ("ValueError", "no lid", "explode", "failed") == tuple(
        first.metadata[field] for field in ("kind", "reason", "failed_step", "status")
    )
    assert first.metadata["run_id"] == second.metadata["run_id"]
    assert [1, 2] == [e.metadata["attempt"] for e in events.named("hephaestus.step.exception")]
    assert "no lid" in events.named("hephaestus.step.exception")[0].metadata["stacktrace"]
    assert 1 == len(events.named("hephaestus.workflow.start"))


async def test_a_cancelled_run_tells_that_it_stopped() -> None:
    async with Hephaestus():
        with capture_events("hephaestus.workflow.stop") as events:
            run = await Waiting.start("1", {})
            await run.cancel()

    assert ["cancelled"] == [event.metadata["status"] for event in events]
