"""Which steps become messages, what those say, and where they go."""

from typing import Any

from hephaestus import Codec, Done, MemoryStorage, Workflow
from hephaestus.steps import StepContext
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import WIDTH, Bill, Directed, Export, Order, Parcel, charge
from hephaestus_dramatiq import Route
from working.conftest import Bench

LONG = [Directed(f"step_{number:02}") for number in range(25)]


class LongLine(Workflow, unique="longline"):
    """More steps in a line than one message is good for."""

    start_step = LONG[0]
    transitions = {
        step: {"done": later} for step, later in zip(LONG, [*LONG[1:], Done], strict=True)
    }


class Backwards:
    """A hook that stores what it is given the other way round."""

    def encode(self, plain: bytes) -> bytes:
        return plain[::-1]

    def decode(self, stored: bytes) -> bytes:
        return stored[::-1]


async def test_three_steps_in_a_line_are_one_message(bench: Bench, stage: Stage) -> None:
    await bench.open()

    order = await Order.start("1", stage.initial())
    await order.result(PATIENCE)

    assert ["hephaestus.execute_step"] == bench.spy.actors()


async def test_a_message_names_its_step_and_its_run(bench: Bench, stage: Stage) -> None:
    await bench.open()

    order = await Order.start("1", stage.initial())
    await order.result(PATIENCE)
    message = bench.spy.sent[0]

    assert {
        "workflow": Order.name,
        "version": 1,
        "instance_id": "order::1",
        "run_id": order.run_id,
        "step": "validate",
        "attempt": 1,
    } == message.kwargs
    assert ["order", "orders"] == message.options["tags"]
    assert {
        "team": "sales",
        "workflow": "order",
        "instance_id": "order::1",
        "run_id": order.run_id,
        "workflow_version": 1,
        "step": "validate",
    } == message.options["meta"]
    assert "step='validate'" in str(message)


async def test_what_steps_return_as_metadata_shows_in_later_messages(
    bench: Bench, stage: Stage
) -> None:
    stage.direct("pack", lambda _: ("done", {}, {"region": "eu", "step": "forged", "seen": {1}}))
    await bench.open()

    parcel = await Parcel.start("1", stage.initial())
    await parcel.result(PATIENCE)
    first, second = (message.options["meta"] for message in bench.spy.sent[:2])

    assert "region" not in first
    assert ("eu", "label", [1]) == (second["region"], second["step"], second["seen"])


async def test_metadata_can_be_kept_from_the_broker(bench: Bench, stage: Stage) -> None:
    await bench.open(metadata=False)

    order = await Order.start("1", stage.initial())
    await order.result(PATIENCE)

    assert "team" not in bench.spy.sent[0].options["meta"]
    assert "order::1" == bench.spy.sent[0].options["meta"]["instance_id"]


async def test_what_a_hook_of_the_codec_hides_is_kept_from_the_broker(
    bench: Bench, stage: Stage
) -> None:
    stage.direct("pack", lambda _: ("done", {}, {"card": "4111"}))
    bench.storage = MemoryStorage(codec=Codec(hook=Backwards()))
    await bench.open()

    parcel = await Parcel.start("1", stage.initial())
    await parcel.result(PATIENCE)

    assert {"card": "4111"} == (await parcel.get()).runtime_metadata
    assert {"weigh", "label"} & {message.kwargs.get("step") for message in bench.spy.sent}
    assert all("card" not in message.options["meta"] for message in bench.spy.sent)


async def test_metadata_beyond_measure_stays_with_the_run(bench: Bench, stage: Stage) -> None:
    stage.direct("pack", lambda _: ("done", {}, {"much": "m" * 100_000}))
    await bench.open()

    parcel = await Parcel.start("1", stage.initial())
    await parcel.result(PATIENCE)

    assert ["much" in message.options["meta"] for message in bench.spy.sent] == [False, False]


async def test_a_fan_out_sends_all_branches_but_one(bench: Bench, stage: Stage) -> None:
    await bench.open(concurrency=4)

    export = await Export.start("1", stage.initial())
    await export.result(PATIENCE)

    assert len(bench.spy.sent) in (WIDTH, WIDTH + 1), (
        "the join is sent only where a commit was lost"
    )


async def test_an_event_is_told_to_the_orchestration_queue(bench: Bench, stage: Stage) -> None:
    await bench.open()

    bill = await Bill.start("1", stage.initial())
    await bill.wait(PATIENCE, until="waiting")
    await bill.resume("paid")
    await bill.wait(PATIENCE, until="completed")
    _, told, thank = bench.spy.sent

    assert ("hephaestus.resume", "steps.orchestration") == (told.actor_name, told.queue_name)
    assert ("paid", "paid") == (told.kwargs["step"], told.kwargs["event"])
    assert ("hephaestus.execute_step", "steps") == (thank.actor_name, thank.queue_name)


async def test_a_long_line_gives_way_to_others_now_and_then(bench: Bench, stage: Stage) -> None:
    await bench.open()

    line = await LongLine.start("1", stage.initial())
    await line.result(PATIENCE)

    assert ["step_00", "step_10", "step_20"] == [m.kwargs["step"] for m in bench.spy.sent]


async def test_a_step_may_have_a_queue_and_a_priority_of_its_own(
    bench: Bench, stage: Stage
) -> None:
    route = Route(queue="payments", priority=-5, broker_priority=3)
    await bench.open(routes={charge: route})

    order = await Order.start("1", stage.initial())
    await order.result(PATIENCE)

    assert [
        ("steps", "hephaestus.execute_step", None),
        ("payments", "hephaestus.execute_step.priority_-5", 3),
        ("steps", "hephaestus.execute_step", None),
    ] == [(m.queue_name, m.actor_name, m.options.get("broker_priority")) for m in bench.spy.sent]


async def test_a_retry_is_a_message(bench: Bench, stage: Stage) -> None:
    def fail_once(ctx: StepContext) -> dict[str, Any]:
        if ctx.attempt == 1:
            raise OSError("no connection")
        return {"attempt": ctx.attempt}

    stage.direct("weigh", fail_once)
    await bench.open()

    parcel = await Parcel.start("1", stage.initial())
    await parcel.result(PATIENCE)

    attempts = [m.kwargs["attempt"] for m in bench.spy.sent if m.kwargs["step"] == "weigh"]
    assert 2 == attempts[-1]
