"""The newcomer's door says what is missing, and hands pip's settings on to uv."""

import tomllib
from pathlib import Path

import pytest

import run


def test_an_old_python_is_told_which_one_is_needed() -> None:
    told = run.missing_from((3, 9), has_venv=True)

    assert "Python 3.11 or newer is needed, and this one is 3.9" in told


def test_a_python_without_venv_is_told_what_to_install() -> None:
    told = run.missing_from((3, 11), has_venv=False)

    assert "apt-get install --yes python3-venv" in told


def test_a_python_that_has_all_is_told_nothing() -> None:
    assert "" == run.missing_from((3, 14), has_venv=True)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("tset", "test"), ("tests", "test"), ("dmeo", "demo"), ("chekc", "check"), ("benhc", "bench")],
)
def test_a_slip_of_the_pen_is_asked_about_before_anything_runs(
    slip: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run.main([slip])

    assert 2 == status
    assert f"there is no command {slip!r}; did you mean {meant!r}?\n" == capsys.readouterr().err


@pytest.mark.parametrize("command", ["pytest", "python", "mypy", "ruff", "types", "changelogs"])
def test_any_other_command_passes(command: str) -> None:
    assert "" == run.slip_of(command)


def test_the_documented_commands_exist_and_pass() -> None:
    scripts = tomllib.loads((run.ROOT / "pyproject.toml").read_text("utf-8"))
    known = scripts["tool"]["hatch"]["envs"]["default"]["scripts"]

    assert set(run.DOCUMENTED) <= set(known)
    assert {""} == {run.slip_of(command) for command in known}


def test_what_the_environment_says_to_pip_wins_over_its_files() -> None:
    listing = ":env:.index-url='one'\nglobal.index-url='two'\ninstall.find-links='a b'\n"

    settings = run.pip_settings(listing)

    assert {"index-url": "one", "find-links": "a b"} == settings


def test_what_pip_says_for_other_commands_is_left_out() -> None:
    assert {} == run.pip_settings("download.index-url='other'\n")


def test_lists_are_separated_as_uv_wants_them() -> None:
    uv = run.translate({"find-links": "/a /b", "trusted-host": "x\ny"})

    assert {"UV_FIND_LINKS": "/a,/b", "UV_INSECURE_HOST": "x y"} == uv


def test_several_indexes_are_searched_as_pip_searches_them() -> None:
    uv = run.translate({"extra-index-url": "file:///a file:///b"})

    assert {"UV_INDEX": "file:///a file:///b", "UV_INDEX_STRATEGY": "unsafe-best-match"} == uv


def test_an_index_that_uv_was_told_stands(tmp_path: Path) -> None:
    nothing = {"XDG_CONFIG_HOME": str(tmp_path), "APPDATA": "", "PROGRAMDATA": ""}

    assert run.uv_is_configured({**nothing, "UV_DEFAULT_INDEX": "file:///a"})


def test_the_tools_ignore_what_the_shell_holds_for_other_projects() -> None:
    private = run.private_environment({"PATH": "/bin", "PYTHONPATH": "/x", "VIRTUAL_ENV": "/y"})

    assert "/bin" == private["PATH"]
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & private.keys()


def test_a_cache_that_the_user_chose_is_kept() -> None:
    private = run.private_environment({"UV_CACHE_DIR": "/mine"})

    assert "/mine" == private["UV_CACHE_DIR"]


def test_a_path_is_understood_from_where_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").touch()

    assert str(tmp_path / "orders.jsonl") == run.from_root("orders.jsonl", tmp_path)
    assert f"{tmp_path / 'orders.jsonl'}::one" == run.from_root("orders.jsonl::one", tmp_path)
    assert "--verbose" == run.from_root("--verbose", tmp_path)


def test_a_stage_is_fresh_only_with_the_key_it_ended_with(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "tools"

    run.write_stamp(stamp, "key")

    assert run.is_stamped(stamp, "key")
    assert not run.is_stamped(stamp, "other")
    assert not run.is_stamped(tmp_path / "none", "key")
