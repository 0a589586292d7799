"""The tutorial's programs say what its pages show."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import hephaestus.cli.entry
import hephaestus_postgres.command

PROGRAMS = Path(__file__).parent / "parcels"
SAID = Path(__file__).parent / "said"
SHELL = Path(__file__).parents[1] / "guides" / "shell.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which the programs lie."""
    return Path(shutil.copytree(PROGRAMS, tmp_path / "parcels"))


def run(folder: Path, *command: str) -> str:
    """Return what a Python command says."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    """Return an environment whose interpreters find what this one finds."""
    # The sources of a checkout may be there by a relative path.
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    url = os.environ.get("DATABASE_URL", "")
    return {**os.environ, "PYTHONPATH": path, "HEPHAESTUS_POSTGRES_URL": url}


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    """Let a Dramatiq worker run beside the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dramatiq", "depot", "--processes", "1"],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def said(name: str) -> str:
    """Return what the tutorial shows."""
    return (SAID / f"{name}.txt").read_text("utf-8")


def lines(text: str) -> list[str]:
    """Return the lines of a text without their order and their ends."""
    return sorted(line.rstrip() for line in text.splitlines())


def test_a_workflow_of_one_step_says_what_its_page_shows(folder: Path) -> None:
    assert said("first") == run(folder, "first.py")


def test_the_shop_in_memory_says_what_its_page_shows(folder: Path) -> None:
    told = run(folder, "in_memory.py")

    # Two branches at the same time have no order.
    assert lines(said("in_memory")) == lines(told)


def test_the_tests_that_the_reader_writes_pass(folder: Path) -> None:
    assert "2 passed" in run(
        folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_parcels.py"
    )


@pytest.fixture
def migrated(DATABASE_URL: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: N803  # the variable
    """Make the tables, as the tutorial does."""
    monkeypatch.setenv("HEPHAESTUS_POSTGRES_URL", DATABASE_URL)
    assert 0 == hephaestus_postgres.command.main(["migrate"])


@pytest.mark.usefixtures("migrated")
def test_the_shop_on_postgres_goes_on_in_the_next_process(folder: Path) -> None:
    told = [
        run(folder, "shop.py", "send", "7", "Ada", "1200"),
        run(folder, "shop.py", "show", "7"),
        run(folder, "shop.py", "pay", "7", "r-1"),
    ]

    assert said("on_postgres") == "".join(told)


@pytest.mark.usefixtures("migrated", "REDIS_URL")
def test_a_worker_executes_what_the_shop_sends(folder: Path) -> None:
    shutil.copy(folder / "depot_with_workers.py", folder / "depot.py")

    with worker(folder):
        told = [
            run(folder, "shop.py", "send", "8", "Grace", "300"),
            run(folder, "shop.py", "pay", "8", "r-2"),
        ]

    assert said("with_workers") == "".join(told)


@pytest.mark.usefixtures("migrated")
def test_the_commands_of_the_shell_page_succeed_in_their_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines_of_shell = re.findall(r"^    \$ (.+)$", SHELL.read_text("utf-8"), re.MULTILINE)
    export, *commands = [shlex.split(line) for line in lines_of_shell]
    monkeypatch.setenv(*export[1].split("="))
    monkeypatch.syspath_prepend(folder)
    run(folder, "shop.py", "send", "7", "Ada", "1200")

    told = {}
    for command, *arguments in commands:
        assert ("hephaestus", 0) == (command, hephaestus.cli.entry.main(arguments))
        told[arguments[0]] = capsys.readouterr().out

    assert "parcelid::7" in told["list"]
    assert "paid" in told["show"]
    for module in ("depot", "parcels"):
        del sys.modules[module]
