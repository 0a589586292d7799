"""What may be started under which id, and which app takes it up."""

from typing import Any

import pytest

from hephaestus import (
    Done,
    Hephaestus,
    Instance,
    LocalRunner,
    MemoryStorage,
    Retry,
    StepContext,
    WaitForEvent,
    Workflow,
    running,
    step,
)
from hephaestus.errors import InvalidArgument, WaitTimeout

paid = WaitForEvent("paid")


@step(retry=Retry(1))
async def sign(ctx: StepContext) -> Any:
    return {"signed_by": running.current().name}


class Paying(Workflow, unique="startingpaying"):
    start_step = paid
    transitions = {paid: {"received": Done}}


class Signing(Workflow, unique="startingsigning", app="notary"):
    start_step = sign
    transitions = {sign: {"done": Done}}


@pytest.mark.parametrize("workflow", [Paying.name, None, Done, Workflow], ids=repr)
async def test_only_a_workflow_class_can_be_started(workflow: Any) -> None:
    async with Hephaestus() as app:
        with pytest.raises(InvalidArgument):
            await app.start_instance(workflow, {}, id="startingpaying::1")


@pytest.mark.parametrize("id", ["", None, "a\0b", "x" * 256], ids=ascii)
async def test_an_id_that_cannot_be_kept_is_refused_before_anything_is_stored(id: Any) -> None:
    async with Hephaestus() as app:
        with pytest.raises(InvalidArgument, match="an id is a"):
            await app.start_instance(Paying, {}, id=id)

        assert 0 == await app.count()


async def test_a_pinned_run_waits_for_its_app_though_another_shares_the_storage() -> None:
    storage = MemoryStorage()
    await storage.put(Instance(id="startingsigning::1", workflow=Signing.name))

    async with Hephaestus(storage, LocalRunner(poll=0.01), name="clerk") as clerk:
        with pytest.raises(WaitTimeout):
            await clerk.wait("startingsigning::1", 0.1)
    async with Hephaestus(storage, LocalRunner(poll=0.01), name="notary") as notary:
        instance = await notary.wait("startingsigning::1", 5)

    assert {"signed_by": "notary"} == instance.result
