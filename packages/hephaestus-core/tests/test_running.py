"""Which of the running apps is meant."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hephaestus import running
from hephaestus.errors import InvalidArgument, NoApp, SeveralApps


@dataclass(frozen=True)
class App:
    """As much of an app as the registry looks at."""

    name: str


def app(name: str) -> Any:
    return App(name)


@pytest.fixture
def first() -> Iterator[Any]:
    yield from registered("first")


@pytest.fixture
def second() -> Iterator[Any]:
    yield from registered("second")


def registered(name: str) -> Iterator[Any]:
    made = app(name)
    running.register(made)
    yield made
    running.unregister(made)


def test_without_an_app_there_is_an_error_that_says_how_to_open_one() -> None:
    with pytest.raises(NoApp, match="async with Hephaestus"):
        running.current()


def test_the_only_app_is_the_one_that_is_meant(first: Any) -> None:
    assert first is running.current()


def test_an_app_that_has_stopped_is_not_meant(first: Any) -> None:
    running.unregister(first)

    with pytest.raises(NoApp):
        running.current()


def test_of_several_apps_none_is_meant(first: Any, second: Any) -> None:
    with pytest.raises(SeveralApps) as caught:
        running.current()

    assert ("first", "second") == caught.value.names
    assert "app=" in str(caught.value)


def test_a_pin_names_the_app(first: Any, second: Any) -> None:
    assert second is running.current("second")


def test_a_pin_to_an_app_that_does_not_run_is_an_error(first: Any) -> None:
    with pytest.raises(NoApp, match="named 'third'"):
        running.current("third")


def test_a_bound_app_is_meant_within_the_block_only(first: Any, second: Any) -> None:
    with running.bound(second):
        assert second is running.current()
        with running.bound(first):
            assert first is running.current()
        assert second is running.current()

    with pytest.raises(SeveralApps):
        running.current()


def test_an_app_can_be_bound_before_it_runs() -> None:
    unregistered = app("third")

    with running.bound(unregistered):
        assert unregistered is running.current()


def test_a_pin_wins_over_a_bound_app_of_another_name(first: Any, second: Any) -> None:
    with running.bound(second):
        assert first is running.current("first")
        assert second is running.current("second")


async def test_a_bound_app_is_meant_in_the_tasks_started_there(first: Any, second: Any) -> None:
    async def meant() -> Any:
        return running.current()

    with running.bound(second):
        task = asyncio.create_task(meant())

    assert second is await task


def test_two_apps_of_one_name_cannot_run(first: Any) -> None:
    with pytest.raises(InvalidArgument, match="an app named 'first' is already running"):
        running.register(App("first"))  # type: ignore[arg-type]  # as much as is looked at


def test_an_app_may_be_registered_and_forgotten_twice(first: Any) -> None:
    running.register(first)
    running.unregister(first)
    running.unregister(first)

    running.register(first)

    assert first is running.current()


def test_an_app_does_not_unregister_another_of_its_name(first: Any) -> None:
    class Other:
        name = "first"

    running.unregister(Other())  # type: ignore[arg-type]  # as much as is looked at

    assert first is running.current()


def test_apps_come_and_go_in_several_threads_at_once() -> None:
    def come_and_go(number: int) -> None:
        for n in range(200):
            made = app(f"{number}-{n}")
            running.register(made)
            running.unregister(made)

    threads = [threading.Thread(target=come_and_go, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with pytest.raises(NoApp):
        running.current()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_no_app_runs_in_a_forked_child() -> None:
    # In a process of its own: this one has threads, and forking those warns.
    program = textwrap.dedent("""
        import os
        from types import SimpleNamespace
        from hephaestus import running
        from hephaestus.errors import NoApp

        running.register(SimpleNamespace(name="parent"))
        if os.fork() == 0:
            try:
                running.current()
            except NoApp:
                os._exit(7)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]), running.current().name)
    """)

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    ).stdout

    assert "7 parent" == printed.strip()
