"""A handle means its run."""

from typing import Any

from hephaestus.handle import Handle
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


async def test_every_verb_asks_the_app_for_this_run() -> None:
    order, app = handle("answer")

    answers: list[object] = [await order.wait(3, until="waiting")]
    await order.resume("paid", {"a": 1}, step=paid, dedup_key="k")
    await order.cancel()
    await order.retry()
    answers += [await order.get(), await order.history(), await order.result(timeout=5)]

    assert ["answer"] * 4 == answers
    assert [
        ("wait", (RUN_ID, 3), {"until": "waiting"}),
        ("resume", (RUN_ID, "paid", {"a": 1}), {"step": paid, "dedup_key": "k"}),
        ("cancel", (RUN_ID,), {}),
        ("retry", (RUN_ID,), {}),
        ("get", (RUN_ID,), {}),
        ("history", (RUN_ID,), {}),
        ("result", (RUN_ID, 5), {}),
    ] == app.calls


def test_a_handle_shows_the_run_and_not_the_app() -> None:
    order, _ = handle()

    assert f"Handle(id='orderid::42', run_id='{RUN_ID}')" == repr(order)
    assert handle()[0] == order
    assert 1 == len({order, handle()[0]})
