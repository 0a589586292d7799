"""Messages that cannot be carried out, and none that does harm."""

import logging
from typing import Any

import pytest
from dramatiq import Message

from hephaestus import Hephaestus
from hephaestus.instance import ActiveStep, Instance
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Errand, Order
from working.conftest import Bench


def order_to(instance: Instance, step: str = "run_errand", **more: Any) -> Message[Any]:
    """Return a message as the runner makes them."""
    fields = {
        "workflow": instance.workflow,
        "version": instance.workflow_version,
        "instance_id": instance.id,
        "run_id": instance.run_id,
        "step": step,
        "attempt": 1,
        **more,
    }
    return _message(fields)


def _message(kwargs: dict[str, Any], *args: object) -> Message[Any]:
    name = "hephaestus.execute_step"
    return Message(queue_name="steps", actor_name=name, args=args, kwargs=kwargs, options={})


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1, 2), {}),
        ((), {"run_id": 7, "step": None}),
        ((), {"workflow": "w", "version": 1, "instance_id": "i", "run_id": "r", "step": "s"}),
    ],
)
async def test_an_unreadable_message_becomes_a_dead_letter_and_says_why(
    bench: Bench, args: Any, kwargs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.open()

    async def is_dead() -> bool:
        return len(bench.server.dead_letters["steps"]) == 1

    bench.connect().enqueue(_message(kwargs, *args))
    await eventually(is_dead)

    told = [r.getMessage() for r in caplog.records if r.name == "hephaestus.dramatiq"]
    assert 1 == len(told)
    assert "is unreadable and becomes a dead letter" in told[0]
    assert 1 == len(bench.spy.sent), "it came again"


async def test_a_message_with_fields_of_a_later_version_is_carried_out(
    bench: Bench, stage: Stage
) -> None:
    app = await bench.open()
    stage.direct("run_errand", lambda _: stage.reached("go"))
    errand = await Errand.start("1", stage.initial())
    await stage.reached("run_errand")

    bench.connect().enqueue(order_to(await errand.get(), weight=3))
    stage.mark("go")

    assert {} == await errand.result(PATIENCE)
    assert [] == bench.server.dead_letters["steps"]
    await app.close()


@pytest.mark.parametrize("attempt", [0, 1, 2])
async def test_messages_that_come_twice_or_late_do_no_harm(
    bench: Bench, stage: Stage, attempt: int
) -> None:
    await bench.open()
    order = await Order.start("1", stage.initial())
    before = await order.wait(PATIENCE)

    broker = bench.connect()
    for step in ("validate", "ship", "validate"):
        broker.enqueue(order_to(before, step, attempt=attempt))
    for _ in range(3):
        later = await Errand.start("1", stage.initial())
        await later.result(PATIENCE)

    assert before == await order.get()
    assert ["validate", "charge", "ship"] == [s for s in stage.order if s != "run_errand"]


async def test_a_message_for_a_run_that_is_gone_comes_to_nothing(
    bench: Bench, stage: Stage
) -> None:
    app = await bench.open()
    errand = await Errand.start("1", stage.initial())
    instance = await errand.wait(PATIENCE)
    await app.storage.delete(errand.run_id)

    bench.connect().enqueue(order_to(instance))
    another = await Errand.start("2", stage.initial())
    await another.result(PATIENCE)

    assert [] == bench.server.dead_letters["steps"]
    assert 2 == stage.count("run_errand")


async def test_a_step_that_the_workflow_lacks_fails_its_run_and_says_so(
    bench: Bench, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    app = await bench.open()
    instance = await _stranded(app, "vanished")

    bench.connect().enqueue(order_to(instance, "vanished"))
    failed = await app.wait(instance.run_id, PATIENCE)

    assert "failed" == failed.status
    assert failed.error is not None
    assert ("vanished", "Fatal", 1) == (failed.error.step, failed.error.type, failed.error.attempt)
    assert "has no step 'vanished'" in failed.error.message
    assert [] == bench.server.dead_letters["steps"]


async def test_a_step_that_no_run_stands_at_fails_nothing(bench: Bench, stage: Stage) -> None:
    app = await bench.open()
    instance = await _stranded(app, "vanished")

    bench.connect().enqueue(order_to(instance, "never_heard_of"))
    errand = await Errand.start("2", stage.initial())
    await errand.result(PATIENCE)

    assert "running" == (await app.get(instance.run_id)).status


@pytest.mark.parametrize(("workflow", "version"), [("elsewhere.Flow", 1), (Errand.name, 9)])
async def test_a_message_of_an_unknown_workflow_or_version_is_passed_on_ten_times(
    bench: Bench,
    workflow: str,
    version: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("hephaestus_dramatiq.actors._LONGEST_HOP", 1)
    caplog.set_level(logging.INFO, "hephaestus.dramatiq")
    await bench.open()
    stranger = Instance(id="stranger::1", workflow=workflow, workflow_version=version)

    async def has_ended() -> bool:
        return "which ends here" in caplog.text

    bench.connect().enqueue(order_to(stranger))
    await eventually(has_ended)

    passed_on = [each for each in caplog.records if "is passed on" in each.message]
    assert [logging.WARNING] + [logging.INFO] * 9 == [each.levelno for each in passed_on]
    assert "import the module that defines it" in passed_on[0].message
    assert [] == bench.server.dead_letters["steps"]


async def _stranded(app: Hephaestus, step: str) -> Instance:
    """Store a run that stands at a step of an earlier definition."""
    now = app.clock.now()
    stranded = Instance(
        id="errand::1",
        workflow=Errand.name,
        status="running",
        active={step: ActiveStep(since=now)},
    )
    await app.storage.put(stranded)
    return await app.get(stranded.run_id)
