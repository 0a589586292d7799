"""A shop in a folder of its own, and the command as a shell would call it."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import hephaestus
from hephaestus import Hephaestus, LocalRunner, registry
from hephaestus.cli.entry import main

SHOP = """
from hephaestus import *

@step(retry=Retry(1))
async def charge(ctx):
    if ctx.initial.get("broken"):
        raise Fatal("the card is broken")
    return {"secret": "4711"}

paid = WaitForEvent("paid", timeout=3600)

@step
async def ask(ctx):
    return Halt({"why": "secret"}, prompt="send it?", resume_to="done")

class Order(Workflow, unique="orderid", tags=["orders"], name="shop.Order"):
    start_step = charge
    transitions = {
        charge: {"done": paid}, paid: {"received": ask, "timeout": Done}, ask: {"done": Done},
    }

class User(Workflow, unique="userid", current=1, name="shop.User"):
    class V1(Workflow, version=1):
        start_step = charge
        transitions = {charge: {"done": Done}}

app = Hephaestus(name="shop")
made = lambda: app
nothing = 3
"""


class Said(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON that it printed."""
        return msgspec.json.decode(self.out)


@pytest.fixture(autouse=True)
def _own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each test have a folder, modules and workflows of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(registry, "_workflows", registry._Workflows())
    monkeypatch.setenv("PYTHONPATH", str(Path(hephaestus.__file__).parents[1]))
    monkeypatch.delenv("HEPHAESTUS_APP", raising=False)
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return the command, which takes its arguments as a shell splits them."""

    def run(line: str, *more: str) -> Said:
        status = main([*line.split(), *more])
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module of the shop, whose app the variable names."""
    (tmp_path / "shop.py").write_text(SHOP, "utf-8")
    monkeypatch.setenv("HEPHAESTUS_APP", "shop:app")
    monkeypatch.syspath_prepend(str(tmp_path))
    import shop  # type: ignore[import-not-found]  # it has just been written

    return shop


@pytest.fixture
def work(shop: Any) -> Callable[[Callable[[Hephaestus], Coroutine[Any, Any, Any]]], Any]:
    """Return what lets the shop's workers do something."""

    def run(verb: Callable[[Hephaestus], Coroutine[Any, Any, Any]]) -> Any:
        async def within() -> Any:
            async with Hephaestus(shop.app.storage, LocalRunner(poll=0.01), name="shop") as app:
                return await verb(app)

        return asyncio.run(within())

    return run
