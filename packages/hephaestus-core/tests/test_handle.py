"""A handle means its run, and gives its result or says why there is none."""

from typing import Any

import pytest

from hephaestus.context import Context
from hephaestus.errors import InstanceFailed
from hephaestus.handle import Handle
from hephaestus.instance import FinishedStep, Instance, Status, StepError
from hephaestus.steps import WaitForEvent

RUN_ID = "01890000-0000-7000-8000-000000000000"
paid = WaitForEvent("paid")


class Recorder:
    """An app that writes down what is asked of it, and gives one answer to all."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, verb: str) -> Any:
        async def asked(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((verb, args, kwargs))
            return self.answer

        return asked


def handle(answer: Any = None) -> tuple[Handle, Recorder]:
    app = Recorder(answer)
    return Handle("orderid::42", RUN_ID, app), app


def run(status: Status, **fields: Any) -> Instance:
    return Instance(id="orderid::42", run_id=RUN_ID, workflow="Order", status=status, **fields)


async def test_every_verb_asks_the_app_for_this_run() -> None:
    order, app = handle("answer")

    answers: list[object] = [await order.wait(3, until="waiting")]
    await order.resume("paid", {"a": 1}, step=paid, dedup_key="k")
    await order.cancel()
    await order.retry()
    answers += [await order.get(), await order.history()]

    assert ["answer", "answer", "answer"] == answers
    assert [
        ("wait", (RUN_ID, 3), {"until": "waiting"}),
        ("resume", (RUN_ID, "paid", {"a": 1}), {"step": paid, "dedup_key": "k"}),
        ("cancel", (RUN_ID,), {}),
        ("retry", (RUN_ID,), {}),
        ("get", (RUN_ID,), {}),
        ("history", (RUN_ID,), {}),
    ] == app.calls


async def test_the_result_is_waited_for_until_the_end() -> None:
    ended = FinishedStep(event="received", routes={"done": None})
    context = Context(steps={"paid": {"paid": True}, "done": {}})
    order, app = handle(run("completed", context=context, finished={"paid": ended}))

    result = await order.result(timeout=5)

    assert {"paid": True} == result
    assert [
        ("wait", (RUN_ID, 5), {"until": frozenset({"completed", "failed", "cancelled"})})
    ] == app.calls


async def test_a_failed_run_has_no_result_but_a_reason() -> None:
    error = StepError(step="charge", type="ValueError", message="no card", attempt=5)
    order, _ = handle(run("failed", error=error))

    with pytest.raises(InstanceFailed, match=r"'orderid::42' .* failed: .*no card") as caught:
        await order.result()

    assert ("orderid::42", RUN_ID, "failed") == (
        caught.value.instance_id,
        caught.value.run_id,
        caught.value.status,
    )


async def test_a_cancelled_run_has_no_result() -> None:
    order, _ = handle(run("cancelled"))

    with pytest.raises(InstanceFailed, match=r"'orderid::42' .* cancelled$"):
        await order.result()


def test_a_handle_shows_the_run_and_not_the_app() -> None:
    order, _ = handle()

    assert f"Handle(id='orderid::42', run_id='{RUN_ID}')" == repr(order)
    assert handle()[0] == order
    assert 1 == len({order, handle()[0]})
