import re
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest

from hephaestus import (
    Choose,
    Done,
    InvalidArgument,
    Step,
    StepContext,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.diagram import mermaid, text


@step(events=("valid", "invalid"))
async def validate(ctx: StepContext) -> object:
    return "valid"


class Charge(Step):
    events = ("charged", "free")

    async def execute(self, ctx: StepContext) -> object:
        return "free"


@step
async def ship(ctx: StepContext) -> None:
    return None


@step
async def notify(ctx: StepContext) -> None:
    return None


@step
async def archive(ctx: StepContext) -> None:
    return None


paid = WaitForEvent("paid", timeout=timedelta(days=3))
cool_off = Wait(90, key="cool_off")


def by_amount(ctx: StepContext) -> object:
    return paid


class Order(Workflow, unique="order"):
    start_step = validate
    transitions = {
        validate: {"valid": Charge, "invalid": archive},
        Charge: {"charged": [ship, notify.using(template="thanks")], "free": [ship, notify]},
        ship: {"done": Choose(by_amount, [paid, cool_off.using(days=1), archive])},
        notify: {"done": archive},
        paid: {"received": archive, "timeout": archive},
        cool_off: {"timeout": archive},
        archive: {"done": Done},
    }


class Umbrella(Workflow, unique="umbrella", current=2):
    class V1(Workflow, version=1):
        start_step = ship
        transitions = {ship: {"done": Done}}

    class V2(Workflow, version=2):
        start_step = ship.using(parcel=True)
        transitions = {ship: {"done": notify}, notify: {"done": Done}}


TEXT = """\
  [*validate]
    │
    validate ──:valid──> charge
    validate ──:invalid──> archive
    │
  [charge]
    │
    charge ──:charged──> ship (with notify)
    charge ──:charged──> notify (with ship)
    charge ──:free──> ship (with notify)
    charge ──:free──> notify (with ship)
    │
  [notify]    [ship]
    │
    notify ──:done──> archive
    ship ──:done──> paid (chosen by by_amount)
    ship ──:done──> cool_off (chosen by by_amount)
    ship ──:done──> archive (chosen by by_amount)
    │
  [cool_off]    [paid]
    │
    cool_off ──:timeout──> archive
    paid ──:received──> archive
    paid ──:timeout──> archive
    │
  [archive]
    │
    archive ──:done──> Done
    │
  (Done)"""

MERMAID = """\
flowchart TD
    start(("start"))
    n0["validate"]
    n1["charge"]
    n2["archive"]
    n3["ship"]
    n4["notify"]
    n5{{"paid<br/>waits for paid, at most 3 d"}}
    n6{{"cool_off<br/>waits 1 min 30 s"}}
    n7((("done")))
    start --> n0
    n0 -->|"valid"| n1
    n0 -->|"invalid"| n2
    n1 -->|"charged"| n3
    n1 -->|"charged<br/>using template='thanks'"| n4
    n1 -->|"free"| n3
    n1 -->|"free"| n4
    n2 -->|"done"| n7
    n3 -.->|"done<br/>chosen by by_amount"| n5
    n3 -.->|"done<br/>chosen by by_amount<br/>using days=1"| n6
    n3 -.->|"done<br/>chosen by by_amount"| n2
    n4 -->|"done"| n2
    n5 -->|"received"| n2
    n5 -->|"timeout"| n2
    n6 -->|"timeout"| n2"""

MERMAID_OF_VERSIONS = """\
flowchart TD
    subgraph v1["version 1"]
        v1_start(("start"))
        v1_n0["ship"]
        v1_n1((("done")))
        v1_start --> v1_n0
        v1_n0 -->|"done"| v1_n1
    end
    subgraph v2["version 2 (current)"]
        v2_start(("start"))
        v2_n0["ship"]
        v2_n1["notify"]
        v2_n2((("done")))
        v2_start -->|"using parcel=True"| v2_n0
        v2_n0 -->|"done"| v2_n1
        v2_n1 -->|"done"| v2_n2
    end"""

LABEL = r'"(?:[^"#;`<>\\|{}\[\]%&]|[#]\d+;|<br/>)+"'
SYNTAX = re.compile(
    rf"""
    flowchart\ TD
    | \s+ subgraph\ \w+\[{LABEL}\]
    | \s+ end
    | \s+ \w+ (?: \[{LABEL}\] | \(\({LABEL}\)\) | \(\(\({LABEL}\)\)\) | \{{\{{{LABEL}\}}\}} )
    | \s+ \w+\ (?: --> | -\.-> ) (?: \|{LABEL}\| )?\ \w+
    """,
    re.VERBOSE,
)


def not_mermaid(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not SYNTAX.fullmatch(line)]


def test_the_text_has_a_row_for_each_layer_and_a_line_for_each_event_and_target() -> None:
    assert text(Order) == TEXT


def test_a_step_stands_below_all_that_lead_to_it() -> None:
    lines = text(Order).split("\n")
    rows = [line for line in lines if line.startswith(("  [", "  ("))]
    row_of = {name: n for n, row in enumerate(rows) for name in re.findall(r"[\w]+", row)}

    arrows = [re.fullmatch(r" +(\w+) ──:.*──> (\w+).*", line) for line in lines]
    pairs = [arrow.groups() for arrow in arrows if arrow]

    assert all(row_of[source] < row_of[target] for source, target in pairs)
    assert 14 == len(pairs)


def test_the_text_never_has_trailing_spaces_and_rows_are_four_apart() -> None:
    lines = text(Order).split("\n")

    assert lines == [line.rstrip() for line in lines]
    assert "  [notify]    [ship]" in lines


def test_an_umbrella_has_no_text() -> None:
    with pytest.raises(InvalidArgument, match=r"draw one of them: .*Umbrella\.V1, .*Umbrella\.V2"):
        text(Umbrella)


def test_a_version_has_a_text() -> None:
    assert text(Umbrella.V1).startswith("  [*ship]\n")


def test_the_flowchart_shows_steps_waits_choices_and_config() -> None:
    assert mermaid(Order) == MERMAID


def test_the_flowchart_of_an_umbrella_has_a_part_for_each_version() -> None:
    assert mermaid(Umbrella) == MERMAID_OF_VERSIONS


ODD = 'end; "now" #1 <b>|x| {{y}} [z] `q` %% \\ & größe --> 🙂'
odd = WaitForEvent(ODD, key="end")


@step(events=(ODD, "click"), key="graph")
async def graph(ctx: StepContext) -> object:
    return ODD


class Odd(Workflow, unique="odd"):
    start_step = graph.using(text=ODD)
    transitions = {
        graph: {ODD: odd, "click": Choose(lambda ctx: Done, [Done, odd])},
        odd: {"received": Done},
    }


@pytest.mark.parametrize("workflow", [Order, Umbrella, Odd])
def test_every_line_of_a_flowchart_is_mermaid(workflow: type[Workflow]) -> None:
    assert [] == not_mermaid(mermaid(workflow).split("\n"))


def test_odd_names_are_written_as_codes() -> None:
    chart = mermaid(Odd)

    assert "end#59; #34;now#34; #35;1 #60;b#62;" in chart
    assert "größe" in chart
    assert "chosen by #60;lambda#62;" in chart


def test_a_long_config_is_cut() -> None:
    class Long(Workflow, unique="long"):
        start_step = ship.using(text="x" * 500)
        transitions = {ship: {"done": Done}}

    (line,) = [line for line in mermaid(Long).split("\n") if "using" in line]

    assert len(line) < 120


class Chooser:
    def __call__(self, ctx: StepContext) -> object:
        return Done


def test_a_choice_by_an_object_bears_the_name_of_its_class() -> None:
    class ByObject(Workflow, unique="byobject"):
        start_step = ship
        transitions = {ship: {"done": Choose(Chooser(), [Done])}}

    assert "(chosen by Chooser)" in text(ByObject)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.5, "0.5 s"), (60, "1 min"), (3661, "1 h 1 min 1 s"), (90000, "1 d 1 h")],
)
def test_spans_of_time_are_short(seconds: float, shown: str) -> None:
    pause = Wait(seconds)

    class Pausing(Workflow, unique="pausing"):
        start_step = pause
        transitions = {pause: {"timeout": Done}}

    assert f'n0{{{{"wait<br/>waits {shown}"}}}}' in mermaid(Pausing)


def test_a_long_line_is_drawn_in_its_order() -> None:
    steps = [Wait(1, key=f"w{number}") for number in range(50)]

    class Line(Workflow, unique="line"):
        start_step = steps[0]
        transitions = {a: {"timeout": b} for a, b in pairwise([*steps, Done])}

    rows = [line for line in text(Line).split("\n") if line.startswith("  [")]
    assert ["  [*w0]", *(f"  [w{number}]" for number in range(1, 50))] == rows


@pytest.mark.parametrize("draw", [text, mermaid])
def test_a_drawing_is_the_same_each_time(draw: object) -> None:
    assert callable(draw)
    assert draw(Order) == draw(Order)
