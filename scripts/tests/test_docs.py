"""What the docs point at is there."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from hephaestus.cli.commands import hephaestus

ROOT = Path(__file__).parents[2]
CORE = ROOT / "packages" / "hephaestus-core"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
READMES = [
    ROOT / "README.md",
    *ROOT.glob("packages/*/README.md"),
    *ROOT.glob("examples/*/README.md"),
]
MOVING = [DOCS / "guides" / "from-elixir.md", DOCS / "guides" / "from-ruby.md"]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
COMMAND = re.compile(
    r"(?:`|\$ |    )hephaestus (" + "|".join(hephaestus.commands) + r")\b([^`\n]*)"
)
BLOCK = re.compile(r"^```(\S.*)\n((?:.*\n)*?)```$", re.MULTILINE)
RUN = ("python", "elixir")  # the second is what somebody else's engine ran
FILE = re.compile(r"`([\w./-]+\.py)`")
PUBLIC = (
    "hephaestus",
    "hephaestus.blocking",
    "hephaestus_dramatiq",
    "hephaestus_postgres",
    "hephaestus_redis",
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text())

    assert [] == [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_file_that_is_named_exists(page: Path) -> None:
    sources = [*ROOT.glob("packages/*/src"), CORE / "src" / "hephaestus"]
    roots = (ROOT, CORE, *sources, DOCS / "tutorial" / "parcels")
    files = FILE.findall(page.read_text())

    assert [] == [file for file in files if not any((root / file).exists() for root in roots)]


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=name_of)
def test_a_command_that_is_shown_makes_sense(page: Path) -> None:
    for verb, rest in COMMAND.findall(page.read_text()):
        shown = hephaestus.commands[verb]
        # A text may name the verb alone; its arguments are there where any are.
        if rest.strip():
            shown.make_context(verb, shlex.split(rest), obj="shop:app")


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=name_of)
def test_a_block_is_run_or_is_a_file_that_is(page: Path) -> None:
    """Python runs where its page is collected; what is marked otherwise is included whole."""
    blocks = BLOCK.findall(page.read_text())

    assert [] == [
        kind for kind, block in blocks if kind not in RUN and not block.startswith('--8<-- "')
    ]


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1]
    named = {DOCS / page for page in re.findall(r"([\w/-]+\.md)$", navigation, re.MULTILINE)}

    assert set(PAGES) == named


def test_every_guide_is_in_the_list_of_guides() -> None:
    guides = {page.name for page in PAGES if page.parent.name == "guides"} - {"index.md"}

    assert guides == set(LINK.findall((DOCS / "guides" / "index.md").read_text()))


@pytest.mark.parametrize("page", MOVING, ids=name_of)
def test_a_class_of_ours_that_a_moving_guide_names_is_public(page: Path) -> None:
    ours = [
        line.split(" | ")[1] for line in page.read_text().splitlines() if line.count(" | ") == 1
    ]
    named = {name for text in ours for name in re.findall(r"`(?:await )?([A-Z]\w+)", text)}
    public = {name for module in PUBLIC for name in dir(import_module(module))}

    assert named - {"X"}
    assert set() == named - public - {"X", "False", "True"}
