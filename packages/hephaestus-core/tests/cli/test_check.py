"""`check`: what a deployment would break."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hephaestus import Hephaestus, Instance
from hephaestus.cli import fit
from hephaestus.context import Context
from hephaestus.instance import ActiveStep, StepError

Command = Callable[..., Any]
NOW = datetime.now(UTC)
WRONG = """
from hephaestus import Done, Workflow, step

@step(events=("yes", "no"))
async def ask(ctx): ...

class Wrong(Workflow, unique="wrongid"):
    start_step = ask
    transitions = {ask: {"yes": Done}}
"""


@pytest.fixture
def put(shop: Any, work: Any) -> Callable[..., None]:
    """Return what lays runs into the shop's storage."""

    def lay(*runs: Instance) -> None:
        async def within(app: Hephaestus) -> None:
            await app.close()
            for run in runs:
                await app.storage.put(run)

        work(within)

    return lay


def run(value: str, workflow: str = "shop.Order", step: str = "charge", **given: Any) -> Instance:
    given = {"status": "running", "active": {step: ActiveStep(since=NOW)}} | given
    return Instance(id=f"orderid::{value}", run_id=f"run-{value}", workflow=workflow, **given)


def test_sound_workflows_and_runs_that_fit_them_are_all_right(
    command: Command, put: Callable[..., None]
) -> None:
    put(run("1"), run("2", "shop.User.V1"), run("3", "shop.User"))

    said = command("check")

    assert (0, "") == (said.status, said.err)
    assert "ok       shop.Order version 1: 4 steps\n" in said.out
    assert "ok       shop.User.V1 version 1: 2 steps\n" in said.out
    assert said.out.endswith("checked 2 workflows and 3 runs: 0 problems\n")


def test_a_definition_that_is_not_sound_is_named_with_file_and_line(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG, "utf-8")

    said = command("check wrong")

    assert 1 == said.status
    assert "problem  'wrong' cannot be imported: workflow 'wrong.Wrong'" in said.out
    assert f"({file}:7)" in said.out


def test_every_module_is_checked_though_one_is_wrong(
    command: Command, shop: Any, tmp_path: Path
) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, "utf-8")

    document = command("check wrong shop --no-storage --json").document

    assert ["definition"] == [each["kind"] for each in document["problems"]]
    assert ["shop.Order", "shop.User.V1"] == [each["name"] for each in document["workflows"]]
    assert document["runs"] is None


def test_runs_whose_workflow_version_or_step_is_gone_are_found_page_by_page(
    command: Command, put: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "_PAGE", 2)
    put(
        run("1"),
        run("2", "shop.Gone"),
        run("3", workflow_version=7),
        run("4", step="removed"),
        run("5", step="removed"),
        run("6", "shop.Gone", status="completed", active={}),
    )

    said, document = command("check"), command("check --json").document

    assert (1, 5) == (said.status, document["runs"])
    assert {
        ("workflow", "shop.Gone", 1, None, 1),
        ("workflow", "shop.Order", 7, None, 1),
        ("step", "shop.Order", 1, "removed", 2),
    } == {
        (each["kind"], each["workflow"], each["version"], each["step"], each["count"])
        for each in document["problems"]
    }
    assert (
        "problem  workflow 'shop.Order' version 1 has no step 'removed': 2 runs, as "
        "orderid::4 (run run-4)\n" in said.out
    )


def test_failed_runs_count_where_they_are_asked_for(
    command: Command, put: Callable[..., None]
) -> None:
    error = StepError(step="removed", type="ValueError", message="no", attempt=1)
    stopped = {"removed": ActiveStep(since=NOW)}
    put(run("1", status="failed", active={}, stopped=stopped, error=error))

    assert 0 == command("check").status
    assert 1 == command("check --failed").status


def test_initial_data_that_no_longer_fit_the_declared_input_are_found(
    command: Command, tmp_path: Path, shop: Any, put: Callable[..., None]
) -> None:
    (tmp_path / "typed.py").write_text(
        """
from typing import TypedDict
from hephaestus import Done, Workflow
from shop import app, charge

class Input(TypedDict):
    card: str

class Typed(Workflow, unique="typedid", name="shop.Typed", input=Input):
    start_step = charge
    transitions = {charge: {"done": Done}}
""",
        "utf-8",
    )
    secret = Context(initial={"card": ["secret"]})
    put(run("1", "shop.Typed", context=secret), run("2", "shop.Typed", context=Context(initial={})))

    said = command("check --app typed:app")

    assert 1 == said.status
    assert "card: Expected `str`, got `array`: 1 run, as orderid::1" in said.out
    assert "missing required field `card`: 1 run, as orderid::2" in said.out
    assert "secret" not in said.out


def test_workflows_that_the_storage_cannot_run_are_found(
    command: Command, tmp_path: Path, shop: Any
) -> None:
    (tmp_path / "bank.py").write_text(
        """
from hephaestus import Done, Workflow, step
from shop import app

@step(transactional=True)
async def book(ctx): ...

class Booking(Workflow, unique="bookingid", name="bank.Booking"):
    start_step = book
    transitions = {book: {"done": Done}}
""",
        "utf-8",
    )

    said = command("check --app bank:app")

    assert 1 == said.status
    assert "workflow 'bank.Booking' has transactional steps, and MemoryStorage has no" in said.out


def test_a_module_without_workflows_is_a_problem_and_no_module_a_usage_error(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty.py").write_text("", "utf-8")

    assert (1, True) == ((said := command("check empty")).status, "no workflow" in said.out)
    assert 2 == command("check").status
    assert 2 == command("check nowhere").status
