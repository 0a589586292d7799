"""Where a run stands that its workflow's definition does not know any more."""

from datetime import UTC, datetime

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.execution.body import refused
from hephaestus.execution.moving import moved, workflow_of
from hephaestus.instance import ActiveStep, Instance
from hephaestus.message import Message
from hephaestus.storage import Snapshot
from hephaestus.testing.runner.workflows import Errand

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stranded(*gone: str) -> Instance:
    active = {key: ActiveStep(since=NOW) for key in gone}
    return Instance(id="errand::1", workflow=Errand.name, status="running", active=active)


def test_a_run_at_a_step_that_is_gone_is_left_alone() -> None:
    with pytest.raises(InvalidArgument, match="stands at vanished"):
        workflow_of(stranded("vanished"))


def test_a_step_that_was_refused_fails_the_run_and_says_why() -> None:
    instance = stranded("vanished")
    ended = refused(Errand, instance, "vanished")

    _, advanced = moved(Snapshot(instance=instance), NOW, ended)

    assert "failed" == advanced.instance.status
    assert advanced.instance.error is not None
    assert ("vanished", "Fatal") == (advanced.instance.error.step, advanced.instance.error.type)
    assert "has no step 'vanished'" in advanced.instance.error.message


def test_the_refusal_may_lie_in_the_inbox_beside_another_branch() -> None:
    instance = stranded("vanished", "run_errand")
    ended = refused(Errand, instance, "vanished")
    message = Message(id="m", run_id=instance.run_id, body=ended, dedup_key="m")

    _, advanced = moved(Snapshot(instance=instance, inbox=(message,)), NOW)

    assert "failed" == advanced.instance.status
    assert ("m",) == advanced.consumed


def test_another_step_that_is_gone_still_keeps_the_run() -> None:
    instance = stranded("vanished", "lost")
    ended = refused(Errand, instance, "vanished")

    with pytest.raises(InvalidArgument, match="stands at lost"):
        moved(Snapshot(instance=instance), NOW, ended)
