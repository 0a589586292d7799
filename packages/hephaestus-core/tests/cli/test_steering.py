"""`resume`, `cancel` and `retry`: stored by the command, done by workers."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from hephaestus import Hephaestus

Command = Callable[..., Any]


@pytest.fixture
def start(shop: Any, work: Any) -> Callable[..., str]:
    """Return what starts a run and answers with its run id."""

    def run(value: str, status: str, **initial: Any) -> str:
        async def begin(app: Hephaestus) -> str:
            handle = await shop.Order.start(value, initial)
            await handle.wait(10, until=status)
            return str(handle.run_id)

        return str(work(begin))

    return run


def test_an_event_is_kept_for_the_workers(
    command: Command, work: Any, start: Callable[..., str]
) -> None:
    run_id = start("1", "waiting")

    said = command("resume orderid::1 paid --dedup-key k --payload", '{"receipt": "secret"}')
    again = command("resume --json orderid::1 paid --dedup-key k")
    shown = command("show --json orderid::1").document

    assert (0, f"the event 'paid' is kept for orderid::1 (run {run_id})\n") == said[:2]
    assert {"id": "orderid::1", "run_id": run_id, "status": "waiting"} == again.document
    assert [("event", "paid", "paid")] == [
        (message["kind"], message["step"], message["event"]) for message in shown["inbox"]
    ]
    assert "messages yet to be applied, by whoever knows the workflow: 1" in "".join(
        shown["reasons"]
    )
    assert "secret" not in str(shown)
    instance = work(lambda app: app.wait(run_id, 10, until="halted"))
    assert {"receipt": "secret"} == instance.context.steps["paid"]


def test_a_halt_is_answered_by_its_default_and_shows_its_question(
    command: Command, work: Any, start: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = start("1", "waiting")
    command("resume orderid::1 paid")
    work(lambda app: app.wait(run_id, 10, until="halted"))

    assert "asks      send it?" in command("show orderid::1").out
    monkeypatch.setattr("sys.stdin", io.StringIO('{"by": "me"}'))
    said = command("resume orderid::1 --payload -")

    assert (0, True) == (said.status, said.out.startswith("the default answer is kept"))
    assert {"by": "me"} == work(lambda app: app.wait(run_id, 10)).result


def test_a_run_is_cancelled_when_the_command_returns(
    command: Command, start: Callable[..., str]
) -> None:
    run_id = start("1", "waiting")

    first, second = command("cancel orderid::1 --json"), command("cancel orderid::1")

    assert {"id": "orderid::1", "run_id": run_id, "status": "cancelled"} == first.document
    assert (1, True) == (second.status, "is already cancelled" in second.err)


def test_a_failed_run_is_taken_up_again_and_no_step_is_executed_by_the_command(
    command: Command, work: Any, start: Callable[..., str]
) -> None:
    run_id = start("1", "failed", broken=True)

    said = command(f"retry {run_id}")
    shown = command("show orderid::1 --json").document

    assert (0, f"taken up again: orderid::1 (run {run_id})\n") == said[:2]
    assert ("running", ["charge"]) == (shown["status"], shown["active_steps"])
    assert "failed" == work(lambda app: app.wait(run_id, 10)).status


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("resume orderid::1 nix", "takes the event 'nix'"),
        ("retry orderid::1", "only a failed run can be retried"),
        ("cancel orderid::1 --version 7", "no workflow instance has the id"),
        ("cancel orderid::1 --workflow shop.User", "no workflow instance has the id"),
    ],
)
def test_what_a_run_does_not_take_is_an_error_in_one_line(
    command: Command, start: Callable[..., str], line: str, complaint: str
) -> None:
    start("1", "waiting")

    said = command(line)

    assert (1, 1) == (said.status, said.err.count("\n"))
    assert complaint in said.err


@pytest.mark.parametrize("payload", ["[1]", "{", "secret"])
def test_a_payload_that_is_no_object_is_refused_and_not_repeated(
    command: Command, shop: Any, payload: str
) -> None:
    said = command("resume orderid::1 paid --payload", payload)

    assert (2, True) == (said.status, "--payload is no JSON object" in said.err)
    assert "secret" not in said.err
