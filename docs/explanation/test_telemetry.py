"""The tables of the page on telemetry say what is told."""

import re
from pathlib import Path

from hephaestus import Done, Halt, Hephaestus, Retry, StepContext, Wait, Workflow, step, telemetry
from hephaestus.telemetry.metrics import METRICS
from hephaestus.testing import CapturedEvents, capture_events

EVENTS, REST = (Path(__file__).parent / "telemetry.md").read_text("utf-8").split("## Handlers")
ROWS = dict(re.findall(r"^\| `(hephaestus\.[a-z_.]+)` \| (.*) \|$", EVENTS, re.MULTILINE))
ALWAYS = {"instance_id", "run_id", "workflow", "workflow_version"}


@step(retry=Retry(2, 0.01))
async def fail_once(ctx: StepContext) -> None:
    if ctx.attempt == 1:
        raise ValueError("once")


@step(events=("yes",))
async def ask(ctx: StepContext) -> Halt:
    return Halt()


@step(retry=Retry(1))
async def fail(ctx: StepContext) -> None:
    raise ValueError("for good")


pause = Wait(0.01)


class Telling(Workflow, unique="tellingid"):
    start_step = fail_once
    transitions = {
        fail_once: {"done": pause},
        pause: {"timeout": ask},
        ask: {"yes": fail},
        fail: {"done": Done},
    }


async def tell_everything() -> CapturedEvents:
    with capture_events() as told:
        async with Hephaestus():
            failing = await Telling.start("1")
            await failing.wait(timeout=10)
            await failing.resume("yes")
            await failing.wait(timeout=10)
            cancelled = await Telling.start("2")
            await cancelled.cancel()
    return told


def test_each_telemetry_event_has_its_row() -> None:
    assert list(telemetry.EVENTS) == list(ROWS)


async def test_the_numbers_and_fields_are_those_of_the_table() -> None:
    told = await tell_everything()

    assert set(telemetry.EVENTS) == set(told.names)
    for event in told:
        _, numbers, fields = ROWS[event.name].split(" | ")
        assert set(re.findall(r"`(\w+)`", numbers)) == set(event.measurements), event.name
        assert set(re.findall(r"`(\w+)`", fields)) == set(event.metadata) - ALWAYS, event.name


def test_each_metric_has_its_row() -> None:
    row = r"^\| `([a-z_.]+)` \| ([a-z ]+)(?:, (ms))? \| ([a-z_, ]+) \|$"
    defined = {(m.name, m.kind.replace("_", " "), m.unit, ", ".join(m.tags)) for m in METRICS}

    assert defined == set(re.findall(row, REST, re.MULTILINE))
