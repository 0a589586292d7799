"""Values are never shared with the storage: changing what went in or came out changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from hephaestus.context import Context
from hephaestus.instance import ActiveStep, FinishedStep, Instance
from hephaestus.outcome import Halt
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    commit,
    entry,
    event,
    lease,
    moved,
    new_run,
    some_run_id,
    store,
)

PLACES: dict[str, Callable[[Instance], Any]] = {
    "initial": lambda run: run.context.initial,
    "results": lambda run: run.context.steps["check"],
    "steps": lambda run: run.context.steps,
    "active": lambda run: run.active,
    "finished": lambda run: run.finished,
    "stopped": lambda run: run.stopped,
    "config": lambda run: run.active["charge"].config,
    "answer": lambda run: run.active["charge"].answer,
    "halt": lambda run: run.active["ask"].halt.data,  # type: ignore[union-attr]  # it is halted
    "routes": lambda run: run.finished["check"].routes,
    "config on the way": lambda run: run.finished["check"].routes["charge"],
    "runtime metadata": lambda run: run.runtime_metadata,
    "telemetry metadata": lambda run: run.telemetry_metadata,
}


class Isolation:
    """Clauses about values on both sides of the storage."""

    @pytest.mark.parametrize("place", PLACES)
    async def test_changing_a_run_that_was_created_changes_nothing_stored(
        self, storage: Storage, place: str
    ) -> None:
        given, expected = _run(), _run()
        await store(storage, given, results=("check",))

        _spoil(PLACES[place](given))

        assert _without_ids(await storage.get(given.run_id)) == _without_ids(expected)

    @pytest.mark.parametrize("place", PLACES)
    async def test_changing_a_run_that_was_put_changes_nothing_stored(
        self, storage: Storage, place: str
    ) -> None:
        given, expected = _run(), _run()
        await storage.put(given)

        _spoil(PLACES[place](given))

        assert _without_ids(await storage.get(given.run_id)) == _without_ids(expected)

    @pytest.mark.parametrize("place", [p for p in PLACES if p != "initial"])
    async def test_changing_a_run_that_was_committed_changes_nothing_stored(
        self, storage: Storage, place: str
    ) -> None:
        run = await store(storage, new_run(initial={"items": [1]}))
        given, expected = _run(), _run()
        await commit(storage, moved(given, run_id=run.run_id), results=("check",))

        _spoil(PLACES[place](given))

        assert _without_ids(await storage.get(run.run_id)) == _without_ids(expected)

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("verb", ["get", "query", "load", "claim"])
    async def test_changing_a_run_that_came_out_changes_nothing_stored(
        self, storage: Storage, place: str, verb: str
    ) -> None:
        run = await store(storage, _run(), results=("check",))
        came_out = await _read(storage, run, verb)

        _spoil(PLACES[place](came_out))

        assert await _read(storage, run, "get") == run

    async def test_changing_a_payload_changes_no_message(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        posted = event(run, payload={"items": [1]})
        await storage.post(posted)

        _spoil(posted.body.payload)  # type: ignore[union-attr]  # it is an event
        _spoil((await storage.load(run.run_id)).inbox[0].body.payload)  # type: ignore[union-attr]  # it is an event

        (found,) = (await storage.load(run.run_id)).inbox
        assert found.body.payload == {"items": [1]}  # type: ignore[union-attr]  # it is an event

    async def test_changing_the_data_of_an_entry_changes_no_history(self, storage: Storage) -> None:
        recorded = entry(some_run_id(), input={"items": [1]}, output={"items": [1]})
        await storage.record(recorded)

        for one in (recorded, *await storage.entries(recorded.run_id)):
            _spoil(one.input)
            _spoil(one.output)

        (found,) = await storage.entries(recorded.run_id)
        assert (found.input, found.output) == ({"items": [1]}, {"items": [1]})

    async def test_a_snapshot_stays_as_it_was(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run),))
        paid = event(run)
        await storage.post(paid)
        before = await storage.load(run.run_id)

        await commit(storage, moved(run), consumed=(paid.id,), ended=(("charge", 1),))

        assert before.instance == run
        assert [message.id for message in before.inbox] == [paid.id]
        assert before.leases == (lease(run),)


def _run() -> Instance:
    """Return a run with data in every place."""
    return new_run(
        status="halted",
        context=Context(initial={"items": [1]}, steps={"check": {"items": [1]}}),
        active={
            "charge": ActiveStep(since=NOW, config={"items": [1]}, answer={"items": [1]}),
            "ask": ActiveStep(state="halted", since=NOW, halt=Halt({"items": [1]})),
        },
        finished={"check": FinishedStep(event="done", routes={"charge": {"items": [1]}})},
        stopped={"pack": ActiveStep(since=NOW)},
        runtime_metadata={"items": [1]},
        telemetry_metadata={"items": [1]},
    )


def _spoil(mapping: Any) -> None:
    """Change a mapping on its surface and in its depth."""
    for value in mapping.values():
        if isinstance(value, list):
            value.append("spoilt")
    mapping["spoilt"] = "spoilt"


def _without_ids(run: Instance) -> dict[str, object]:
    """Return what two runs of the same shape have in common."""
    names = ("context", "active", "finished", "stopped", "runtime_metadata", "telemetry_metadata")
    return {name: getattr(run, name) for name in names}


async def _read(storage: Storage, run: Instance, verb: str) -> Instance:
    if verb == "query":
        return (await storage.query())[0]
    if verb == "load":
        return (await storage.load(run.run_id)).instance
    if verb == "claim":
        claimed = await storage.claim(lease(run), NOW, results=("check",))
        assert claimed is not None
        return claimed
    return await storage.get(run.run_id)
