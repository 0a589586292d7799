"""`run`: a worker process."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from hephaestus import (
    Done,
    Hephaestus,
    LocalRunner,
    MemoryStorage,
    StepContext,
    Workflow,
    step,
    telemetry,
)
from hephaestus.cli.messenger import Messenger

Command = Callable[..., Any]


class Durable(MemoryStorage):
    """Memory that pretends to outlive the process."""

    durable: ClassVar[bool] = True


class Queue(Messenger):
    """A runner whose steps are executed elsewhere."""

    name: ClassVar[str] = "dramatiq"


@pytest.fixture
def start(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Workflow]], str]:
    """Return what starts a run that no worker has seen."""
    storage = Durable()
    monkeypatch.setattr(shop, "app", Hephaestus(storage, LocalRunner(poll=0.01), name="shop"))

    def begin(workflow: type[Workflow]) -> str:
        async def within() -> str:
            async with Hephaestus(storage, Messenger(), name="shop"):
                return (await workflow.start("1")).run_id

        return asyncio.run(within())

    return begin


@pytest.fixture
def signals() -> Iterator[Callable[..., None]]:
    """Return what sends this process signals as soon as something is told by telemetry."""

    def send_on(event: str, *numbers: int) -> None:
        def handler(*_: object) -> None:
            for number in numbers:
                os.kill(os.getpid(), number)

        telemetry.attach("signals", [event], handler)

    yield send_on
    telemetry.detach("signals")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_executes_what_is_due_until_a_signal_comes(
    command: Command, shop: Any, start: Any, signals: Any, number: signal.Signals
) -> None:
    start(shop.User)
    signals("hephaestus.workflow.stop", number)

    said = command("run")

    assert (
        0,
        ["shop runs; SIGTERM or Ctrl-C stops it", "stopping; running steps may end", "stopped"],
    ) == (
        said.status,
        said.out.splitlines(),
    )
    assert ["completed"] == [each["status"] for each in command("list --json").document]


def test_a_signal_ends_it_while_the_storage_keeps_it_waiting(
    command: Command, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(Durable):
        async def open(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), 10)

    monkeypatch.setattr(shop, "app", Hephaestus(Away(), name="shop"))

    assert (0, "stopped\n", "") == command("run")


def test_a_second_signal_does_not_wait_for_running_steps(
    command: Command, shop: Any, start: Any, signals: Any
) -> None:
    @step
    async def sleep(ctx: StepContext) -> None:
        await asyncio.get_running_loop().create_future()

    class Sleeping(Workflow, unique="sleepingid", name="shop.Sleeping"):
        start_step = sleep
        transitions = {sleep: {"done": Done}}

    run_id = start(Sleeping)
    signals("hephaestus.step.start", signal.SIGTERM, signal.SIGINT)

    said = command("run --json")

    assert ["running", "stopping"] == [
        msgspec.json.decode(line)["state"] for line in said.out.splitlines()
    ]
    assert (1, "error: stopped before running steps ended\n") == (said.status, said.err)
    assert "is ready, and no worker has taken it" in command(f"show {run_id}").out


def test_a_storage_that_ends_with_the_process_has_no_work_for_another(
    command: Command, shop: Any
) -> None:
    said = command("run")

    assert (1, True) == (said.status, "use a durable storage" in said.err)


def test_a_module_without_workflows_has_nothing_to_execute(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty.py").write_text(
        "from hephaestus import Hephaestus, MemoryStorage\n\n\n"
        "class Durable(MemoryStorage):\n    durable = True\n\n\n"
        "app = Hephaestus(Durable())\n"
    )

    said = command("run --app empty:app")

    assert 1 == said.status
    assert "module 'empty' defines no workflow" in said.err


@pytest.mark.parametrize(
    ("runner", "command_line"), [(Queue, "`dramatiq shop`"), (Messenger, "the command that")]
)
def test_where_others_execute_steps_it_says_how_to_start_them(
    command: Command, shop: Any, monkeypatch: pytest.MonkeyPatch, runner: Any, command_line: str
) -> None:
    monkeypatch.setattr(shop, "app", Hephaestus(Durable(), runner()))

    said = command("run")

    assert (1, True) == (said.status, f"start them with {command_line}" in said.err)
