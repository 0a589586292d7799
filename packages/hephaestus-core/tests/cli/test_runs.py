"""`list` and `show`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hephaestus import Hephaestus, Instance
from hephaestus.instance import ActiveStep
from hephaestus.storage import Lease, Owner

Command = Callable[..., Any]
NOW = datetime.now(UTC)


@pytest.fixture
def run(shop: Any, work: Any) -> Any:
    """Return a run that waits, beside one that failed."""

    async def start(app: Hephaestus) -> Any:
        failed = await shop.Order.start("2", {"broken": True, "card": "secret"})
        await failed.wait(10)
        waiting = await shop.Order.start("1", {"card": "secret"})
        await waiting.wait(10, until="waiting")
        return waiting

    return work(start)


def test_runs_are_listed_the_newest_first(command: Command, run: Any) -> None:
    said = command("list")

    lines = said.out.splitlines()
    assert 0 == said.status
    assert ["ID", "RUN", "WORKFLOW", "VERSION", "STATUS", "CREATED", "STEPS"] == lines[0].split()
    assert [run.id, run.run_id, "shop.Order", "1", "waiting"] == lines[1].split()[:5]
    assert "orderid::2" == lines[2].split()[0]


def test_filters_select_and_pages_follow_each_other(command: Command, run: Any) -> None:
    def ids(arguments: str) -> list[str]:
        return [each["id"] for each in command(f"list --json {arguments}").document]

    assert ["orderid::1"] == ids("--status waiting")
    assert ["orderid::1", "orderid::2"] == ids("--status waiting --status failed --tag orders")
    assert [] == ids("--workflow shop.User")
    assert ["orderid::2"] == ids("--id orderid::2 --workflow shop.Order")
    assert ["orderid::2"] == ids("--oldest --limit 1")
    assert ["orderid::2"] == ids(f"--after {run.run_id}")
    assert "no run fits\n" == command("list --tag nothing").out


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Order", "hint: no workflow 'Order' is defined here; did you mean 'shop.Order'?\n"),
        (
            "shop.Ordr",
            "hint: no workflow 'shop.Ordr' is defined here; did you mean 'shop.Order'?\n",
        ),
        ("Ordr", "hint: no workflow 'Ordr' is defined here; did you mean 'shop.Order'?\n"),
        ("x", "hint: no workflow 'x' is defined here\n"),
        ("shop.User", ""),
    ],
)
def test_an_unknown_workflow_has_no_runs_and_a_hint_beside_them(
    command: Command, run: Any, name: str, hint: str
) -> None:
    assert (0, "[]\n", hint) == command(f"list --json --workflow {name}")


def test_a_run_is_shown_with_its_history_and_why_it_stands(command: Command, run: Any) -> None:
    said = command("show orderid::1")

    assert 0 == said.status
    assert run.run_id in said.out
    assert "step 'paid' waits for an event, at most until" in said.out
    assert "step 'paid' takes paid, received, timeout" in said.out
    assert "charge completed done" in said.out
    assert "wakes     20" in said.out


def test_a_failed_run_says_why(command: Command, run: Any) -> None:
    assert "the card is broken" in command("show orderid::2").out


def test_json_has_times_in_iso_8601_and_everything_that_the_text_has(
    command: Command, run: Any
) -> None:
    document = command(f"show {run.run_id} --json").document

    assert ("waiting", ["paid"]) == (document["status"], document["waiting_steps"])
    assert datetime.fromisoformat(document["wakes_at"]) > NOW
    assert "completed" == document["history"][0]["action"]
    assert [] == document["leases"] == document["inbox"]


@pytest.mark.parametrize("line", ["list --json", "show orderid::1", "show --json orderid::1"])
def test_what_users_stored_is_printed_only_when_asked_for(
    command: Command, run: Any, line: str
) -> None:
    assert "secret" not in command(line).out
    assert "secret" in command(f"{line} --data").out


def test_a_step_that_somebody_executes_is_told_from_one_that_nobody_takes(
    command: Command, shop: Any, work: Any
) -> None:
    async def lay(app: Hephaestus) -> None:
        await app.close()
        later = NOW + timedelta(minutes=5)
        steps = [
            ActiveStep(since=NOW),
            ActiveStep(since=NOW),
            ActiveStep(since=NOW, attempt=2, failures=1, deadline=later),
            ActiveStep(since=NOW, dispatches=1, deadline=later),
        ]
        for number, step in enumerate(steps, 1):
            run = Instance(
                id=f"orderid::{number}",
                run_id=f"run-{number}",
                workflow="shop.Order",
                status="running",
                active={"charge": step},
            )
            await app.storage.put(run)
        owner = Owner(incarnation="abc", name="worker-1")
        until = NOW + timedelta(hours=1)
        lease = Lease(run_id="run-2", step="charge", attempt=1, owner=owner, until=until)
        await app.storage.claim(lease, NOW, results=())

    work(lay)

    assert "step 'charge' is ready, and no worker has taken it" in command("show orderid::1").out
    assert "step 'charge' goes on at" in command("show orderid::3").out
    assert "step 'charge' was sent to a worker" in command("show orderid::4").out
    shown = command("show orderid::2").out
    assert "step 'charge' is executing, attempt 1, leased until" in shown
    assert "step 'charge', attempt 1, of worker-1, until" in shown


def test_a_run_of_a_workflow_or_a_step_that_is_gone_says_so(
    command: Command, shop: Any, work: Any
) -> None:
    async def lay(app: Hephaestus) -> None:
        await app.close()
        active = {"gone": ActiveStep(since=NOW, state="waiting")}
        for name, id in (("shop.Gone", "a::1"), ("shop.Order", "b::1")):
            run = Instance(id=id, workflow=name, status="waiting", active=active)
            await app.storage.put(run)

    work(lay)

    assert "workflow 'shop.Gone' version 1 is not defined here" in command("show a::1").out
    assert "workflow 'shop.Order' has no step 'gone' here" in command("show b::1").out


def test_an_unknown_run_is_an_error_in_one_line(command: Command, shop: Any) -> None:
    said = command("show orderid::404")

    assert (1, "error: no workflow instance has the id 'orderid::404'\n") == (said.status, said.err)
