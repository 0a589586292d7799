"""A hook of the codec: what passes through it, and what happens without it."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hephaestus.codec import Codec
from hephaestus.errors import StorageUnavailable
from hephaestus.instance import ActiveStep, FinishedStep, Instance
from hephaestus.message import Body, EventPosted, StepEnded
from hephaestus.outcome import Completed, Halt, Outcome

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SECRET: dict[str, Any] = {"card": "4111-1111", "when": NOW, "$": {1, 2}}
ASKED = Halt(SECRET, prompt="Charge 4111-1111?", resume_to="done")


class Mask:
    """Makes everything unreadable to others."""

    def encode(self, plain: bytes) -> bytes:
        return bytes(byte ^ 0x55 for byte in plain)

    def decode(self, stored: bytes) -> bytes:
        return self.encode(stored)


class Locker:
    """Keeps the data elsewhere, and stores where."""

    def __init__(self) -> None:
        self.contents: dict[bytes, bytes] = {}

    def encode(self, plain: bytes) -> bytes:
        place = str(len(self.contents)).encode()
        self.contents[place] = plain
        return place

    def decode(self, stored: bytes) -> bytes:
        return self.contents[stored]


class Away(Mask):
    """Cannot reach what it needs."""

    def decode(self, stored: bytes) -> bytes:
        raise StorageUnavailable("the key server", "connection refused")


def run_with(secret: dict[str, Any]) -> Instance:
    """Return a run that holds the same data in every place of its state."""
    step = ActiveStep(since=NOW, config=secret, answer=secret, halt=ASKED)
    return Instance(
        id="orderid::1",
        workflow="shop.Orders",
        active={"charge": step},
        finished={"check": FinishedStep(event="done", routes={"charge": secret, "pack": None})},
        stopped={"pack": step},
        runtime_metadata=secret,
        telemetry_metadata=secret,
    )


OUTCOMES: dict[str, Outcome] = {
    "data": Completed(event="done", data=SECRET),
    "metadata": Completed(event="done", metadata=SECRET),
    "routes": Completed(event="done", routes={"pack": SECRET, "ship": None}),
    "a halt": Halt(SECRET),
    "a halt with a question": ASKED,
    "a halt with a question alone": Halt(prompt="Charge 4111-1111?"),
}
BODIES: dict[str, Body] = {
    "an event": EventPosted(step="charge", event="paid", payload=SECRET),
    **{
        name: StepEnded(step="charge", attempt=1, outcome=outcome, duration=0.0)
        for name, outcome in OUTCOMES.items()
    },
}
HOOKS: dict[str, Callable[[], Mask | Locker]] = {"masked": Mask, "elsewhere": Locker}
each_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
each_hook = pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)


@each_hook
def test_user_data_come_back_unreadable_to_others(hook: Callable[[], Mask | Locker]) -> None:
    codec = Codec(hook=hook())

    raw = codec.dump(SECRET)

    assert b"4111" not in raw
    assert codec.load(raw) == SECRET


@each_hook
def test_all_data_of_a_state_come_back_unreadable_to_others(
    hook: Callable[[], Mask | Locker],
) -> None:
    codec = Codec(hook=hook())
    run = run_with(SECRET)

    raw = codec.dump_state(run)

    assert b"4111" not in raw
    assert all(value == getattr(run, name) for name, value in codec.load_state(raw).items())


@each_hook
@each_body
def test_all_data_of_a_body_come_back_unreadable_to_others(
    body: Body, hook: Callable[[], Mask | Locker]
) -> None:
    codec = Codec(hook=hook())

    raw = codec.dump_body(body)

    assert b"4111" not in raw
    assert codec.load_body(raw) == body


@each_body
def test_a_body_cannot_be_read_without_the_hook(body: Body) -> None:
    raw = Codec(hook=Mask()).dump_body(body)

    with pytest.raises(ValueError, match="codec hook that is not set here"):
        Codec().load_body(raw)


def test_a_state_cannot_be_read_without_the_hook() -> None:
    raw = Codec(hook=Mask()).dump_state(run_with(SECRET))

    with pytest.raises(ValueError, match="codec hook that is not set here"):
        Codec().load_state(raw)


def test_what_was_written_before_there_was_a_hook_can_be_read_with_it() -> None:
    raw = Codec().dump_state(run_with(SECRET))

    fields = Codec(hook=Mask()).load_state(raw)

    assert fields["runtime_metadata"] == SECRET


@pytest.mark.parametrize("codec", [Codec(), Codec(hook=Mask())], ids=["plain", "masked"])
def test_data_that_look_as_if_a_hook_had_written_them_come_back(codec: Codec) -> None:
    hooked = {"$": ["hooked", base64.b64encode(b"{}").decode()]}
    asked = EventPosted(step="charge", event="paid", payload={"$": ["asked", hooked]})
    halt = Halt({"$": ["asked", hooked]})
    halted = StepEnded(step="charge", attempt=1, outcome=halt, duration=0.0)

    assert codec.load(codec.dump(hooked)) == hooked
    assert codec.load_body(codec.dump_body(asked)) == asked
    assert codec.load_body(codec.dump_body(halted)) == halted


def test_bytes_that_a_hook_cannot_read_are_a_value_error() -> None:
    raw = Codec(hook=Mask()).dump(SECRET)

    with pytest.raises(ValueError, match="hook cannot read it: KeyError"):
        Codec(hook=Locker()).load(raw)


def test_a_hook_that_is_out_of_reach_says_so_itself() -> None:
    raw = Codec(hook=Mask()).dump(SECRET)

    with pytest.raises(StorageUnavailable):
        Codec(hook=Away()).load(raw)
