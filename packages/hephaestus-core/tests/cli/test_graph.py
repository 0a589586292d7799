"""`graph`: workflows as pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus.diagram import mermaid, svg, text

Command = Callable[..., Any]


def test_all_workflows_are_drawn_for_mermaid_unless_it_is_told_otherwise(
    command: Command, shop: Any
) -> None:
    said = command("graph")

    pictures = f"%% shop.Order\n{mermaid(shop.Order)}\n%% shop.User.V1\n{mermaid(shop.User.V1)}\n"
    assert (0, pictures) == said[:2]


@pytest.mark.parametrize("name", ["Order", "shop.Order"])
def test_one_is_chosen_by_its_name_or_the_end_of_it(command: Command, shop: Any, name: str) -> None:
    assert f"shop.Order\n\n{text(shop.Order)}\n\n" == command(f"graph {name} --format text").out
    assert f"{svg(shop.Order)}\n" == command(f"graph {name} --format svg").out


def test_a_picture_is_written_to_a_file(command: Command, shop: Any, tmp_path: Path) -> None:
    said = command("graph --module shop Order --format svg --output order.svg")

    assert (0, "") == said[:2]
    assert f"{svg(shop.Order)}\n" == (tmp_path / "order.svg").read_text("utf-8")


def test_json_has_steps_transitions_and_the_picture(command: Command, shop: Any) -> None:
    (document,) = command("graph User --json").document

    assert ("shop.User.V1", 1, "charge") == tuple(document[n] for n in ("name", "version", "start"))
    assert {"charge": {"events": ["done"]}, "done": {"events": ["done"]}} == document["steps"]
    assert [{"step": "charge", "event": "done", "target": "done"}] == document["transitions"]
    assert mermaid(shop.User.V1) == document["picture"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("graph --format svg", "an SVG shows one workflow"),
        ("graph Odrer", "there is none"),
        ("graph --module nowhere", "there is no module"),
    ],
)
def test_what_cannot_be_drawn_is_a_usage_error(
    command: Command, shop: Any, line: str, complaint: str
) -> None:
    said = command(line)

    assert (2, True) == (said.status, complaint in said.err)


def test_without_a_module_it_says_where_to_name_one(command: Command) -> None:
    assert (2, True) == ((said := command("graph")).status, "Give --module or --app" in said.err)
