"""How a command finds its app, and what it says where it does not."""

import asyncio
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from hephaestus.cli import place
from hephaestus.cli.commands import hephaestus

Command = Callable[..., Any]


def test_the_app_is_named_by_an_option_or_the_variable_and_may_be_made_by_a_function(
    command: Command, shop: Any
) -> None:
    for arguments in ("", "--app shop:app", "--app shop:made"):
        assert 0 == command(f"list {arguments}").status


def test_the_app_may_be_named_before_the_command_and_the_command_has_the_last_word(
    command: Command, shop: Any
) -> None:
    assert 0 == command("--app shop:made list").status
    assert 0 == command("--app shop:nix list --app shop:app").status
    assert 2 == command("--app shop:nix list").status


@pytest.mark.parametrize(
    ("app", "complaint"),
    [
        ("shop", "an app is named as module:attribute, not 'shop'"),
        (":app", "an app is named as module:attribute"),
        ("nowhere:app", "there is no module 'nowhere'"),
        ("shop.deeper:app", "there is no module 'shop.deeper'"),
        ("shop:nix", "'shop' has no attribute 'nix'"),
        ("shop:nothing", "'shop:nothing' is no Hephaestus but int"),
    ],
)
def test_a_wrong_name_is_a_usage_error_in_one_line(
    command: Command, shop: Any, app: str, complaint: str
) -> None:
    said = command(f"list --app {app}")

    assert (2, "") == (said.status, said.out)
    assert said.err.startswith(f"error: {complaint}")
    assert 1 == said.err.count("\n")


@pytest.mark.parametrize("verb", hephaestus.commands.values(), ids=lambda verb: verb.name)
def test_every_verb_takes_the_app_and_prints_json(verb: click.Command) -> None:
    assert {"app", "as_json"} <= {each.name for each in verb.params}


def test_without_arguments_it_shows_its_help_as_it_is(command: Command) -> None:
    said = command("")

    assert 2 == said.status
    assert said.err.startswith("Usage: hephaestus")
    assert said.err.count("\n") > 10


def test_without_a_name_it_says_where_to_give_one(command: Command) -> None:
    said = command("list")

    assert (2, True) == (said.status, "set HEPHAESTUS_APP" in said.err)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' ({file}:1)"),
        ("\nx = 1 / 0", "ZeroDivisionError: division by zero ({file}:2)"),
        ("x = (", "'(' was never closed"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_file_and_line(
    command: Command, tmp_path: Path, source: str, complaint: str
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(source, "utf-8")

    said = command("list --app broken:app")

    assert (1, 1) == (said.status, said.err.count("\n"))
    assert "'broken' cannot be imported" in said.err
    assert complaint.format(file=file) in said.err


def test_an_error_of_the_users_function_is_one_line_too(command: Command, shop: Any) -> None:
    shop.made = lambda: 1 / 0

    said = command("list --app shop:made")

    assert (1, 1) == (said.status, said.err.count("\n"))
    assert said.err.startswith("error: ZeroDivisionError: division by zero (")


@pytest.mark.parametrize("line", ["nix", "list --nix", "show", "prune", "prune --older-than 7"])
def test_arguments_that_make_no_sense_have_status_two(
    command: Command, shop: Any, line: str
) -> None:
    said = command(line)

    assert (2, "", 1) == (said.status, said.out, said.err.count("\n"))


@pytest.mark.parametrize("line", ["--help", "--version", "list --help", ""])
def test_help_is_printed(command: Command, line: str) -> None:
    said = command(line)

    assert "hephaestus" in (said.out + said.err).lower()


def test_without_click_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['click'] = None\n"
        "from hephaestus.cli.entry import main; sys.exit(main(['list']))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (1, 'error: this command needs more: pip install "hephaestus-core[cli]"\n') == (
        run.returncode,
        run.stderr,
    )


@pytest.mark.parametrize(
    ("file", "is_theirs"),
    [
        (Path(asyncio.__file__), False),
        (Path(place.__file__), False),
        (Path(sysconfig.get_path("stdlib"), "site-packages", "shop", "app.py"), True),
        (Path("/srv/shop/app.py"), True),
    ],
    ids=["Python's", "ours", "installed", "theirs"],
)
def test_the_place_of_an_error_is_in_the_users_code(file: Path, is_theirs: bool) -> None:
    assert is_theirs == place._is_theirs(file)
