"""Tags and metadata of messages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from hephaestus import Done, Workflow
from hephaestus.instance import Instance
from hephaestus.testing.runner.workflows import Directed
from hephaestus_dramatiq.labels import labels

work = Directed("work")


class HTTPFetchFlow(
    Workflow, unique="fetch", tags=["web", "http_fetch_flow"], metadata={"team": "net", "step": "?"}
):
    """A name with an acronym, a tag like it, and metadata that would name a step."""

    start_step = work
    transitions = {work: {"done": Done}}


class SignUp(Workflow, unique="signup", current=2):
    """An umbrella over two versions."""

    class V1(Workflow, version=1):
        """The first."""

        start_step = work
        transitions = {work: {"done": Done}}

    class V2(Workflow, version=2):
        """The second."""

        start_step = work
        transitions = {work: {"done": Done}}


def instance_of(workflow: type[Workflow], **more: object) -> Instance:
    fields = {"id": "x::1", "workflow": workflow.name, "workflow_version": workflow.version}
    return Instance(**{**fields, "tags": workflow.tags, **more})  # type: ignore[arg-type]  # mixed


def test_tags_begin_with_the_short_name_and_repeat_nothing() -> None:
    shown = labels(instance_of(HTTPFetchFlow), "work", users=True)

    assert ["http_fetch_flow", "web"] == shown["tags"]


def test_a_version_bears_the_short_name_of_its_umbrella() -> None:
    shown = labels(instance_of(SignUp.V2), "work", users=True)

    assert ("sign_up", 2) == (shown["meta"]["workflow"], shown["meta"]["workflow_version"])


def test_what_names_the_run_cannot_be_forged() -> None:
    runtime = {"team": "ops", "workflow": "forged", "instance_id": "forged", "region": "eu"}
    instance = instance_of(HTTPFetchFlow, runtime_metadata=runtime)

    meta = labels(instance, "work", users=True, returned=True)["meta"]

    assert {
        "team": "ops",
        "region": "eu",
        "workflow": "http_fetch_flow",
        "instance_id": "x::1",
        "run_id": instance.run_id,
        "workflow_version": 1,
        "step": "work",
    } == meta


def test_what_steps_returned_shows_only_where_it_is_asked_for() -> None:
    instance = instance_of(HTTPFetchFlow, runtime_metadata={"region": "eu"})

    meta = labels(instance, "work", users=True)["meta"]

    assert ("net", None) == (meta["team"], meta.get("region"))


def test_without_a_step_there_is_no_key_for_one() -> None:
    class Plain(Workflow, unique="plain", name="labels.Plain"):
        """Without tags and metadata."""

        start_step = work
        transitions = {work: {"done": Done}}

    shown = labels(instance_of(Plain), users=True)

    assert ["plain"] == shown["tags"]
    assert {"workflow", "instance_id", "run_id", "workflow_version"} == set(shown["meta"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        (timedelta(minutes=1), "PT60S"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({1}, [1]),
        ((1, 2), [1, 2]),
        (b"\x00", "AA=="),
        (2**70, 2**70),
    ],
)
def test_every_kind_of_value_becomes_plain(value: object, shown: object) -> None:
    instance = instance_of(HTTPFetchFlow, runtime_metadata={"value": value})

    meta = labels(instance, "work", users=True, returned=True)["meta"]

    assert shown == (list(meta["value"]) if isinstance(value, tuple) else meta["value"])
