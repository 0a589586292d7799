"""A workflow as an SVG drawing."""

from itertools import combinations
from xml.etree import ElementTree

import pytest

from hephaestus import Choose, Done, InvalidArgument, StepContext, WaitForEvent, Workflow, step
from hephaestus.diagram import svg

SVG = "{http://www.w3.org/2000/svg}"


@step(events=("valid", "invalid"))
async def validate(ctx: StepContext) -> str:
    return "valid"


@step
async def pack(ctx: StepContext) -> None: ...


@step
async def label(ctx: StepContext) -> None: ...


@step
async def ship(ctx: StepContext) -> None: ...


def pick(ctx: StepContext) -> object:
    return pack


paid = WaitForEvent("paid", timeout=60)


class Drawn(Workflow, unique="drawn", name="shop<&>Drawn"):
    start_step = validate
    transitions = {
        validate: {"valid": paid, "invalid": Done},
        paid: {"received": Choose(pick, [pack, label]), "timeout": Done},
        pack: {"done": ship},
        label: {"done": ship},
        ship: {"done": Done},
    }


@pytest.fixture(name="drawing")
def _drawing() -> ElementTree.Element:
    return ElementTree.fromstring(svg(Drawn))


def test_every_step_has_a_box_with_its_key_and_no_two_overlap(
    drawing: ElementTree.Element,
) -> None:
    boxes = [
        (float(box.attrib["x"]), float(box.attrib["y"]), float(box.attrib["width"]))
        for box in drawing.iter(f"{SVG}rect")
    ]

    words = {text.text for text in drawing.iter(f"{SVG}text")}
    assert set(Drawn.graph.steps) <= words
    assert len(Drawn.graph.steps) == len(boxes)
    for (left, top, width), (x, y, _) in combinations(sorted(boxes), 2):
        assert top != y or left + width < x


def test_every_two_steps_with_a_transition_are_joined_by_one_arrow_with_its_events(
    drawing: ElementTree.Element,
) -> None:
    arrows = [path for path in drawing.iter(f"{SVG}path") if "arrow" in path.get("class", "")]
    labels = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "label"]

    assert 8 == len(arrows) == len(labels)
    assert 2 == sum("chosen" in arrow.attrib["class"] for arrow in arrows)
    assert 2 == labels.count("received (chosen by pick)")


def test_names_are_escaped(drawing: ElementTree.Element) -> None:
    assert "shop<&>Drawn" == drawing.findtext(f"{SVG}title")


def test_an_umbrella_has_no_drawing_and_its_versions_do() -> None:
    class Drawing(Workflow, unique="drawingumbrella", current=1):
        class V1(Workflow, version=1):
            start_step = pack
            transitions = {pack: {"done": Done}}

    with pytest.raises(InvalidArgument, match="draw one of them"):
        svg(Drawing)
    assert "pack" in svg(Drawing.V1)
