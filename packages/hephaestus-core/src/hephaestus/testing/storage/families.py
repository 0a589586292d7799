"""Which workflows a filter means: one, the versions of an umbrella, or a family."""

from collections.abc import Iterator

import pytest

from hephaestus import registry
from hephaestus.instance import Instance
from hephaestus.steps import Done
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    new_run,
    store,
)
from hephaestus.workflow import Workflow


class FilteringWorkflows:
    """Clauses about workflows given by class, by name, by prefix, and as an umbrella."""

    @pytest.fixture
    def umbrella(self) -> Iterator[type[Workflow]]:
        """Return a workflow with two versions, known to this process."""

        class Parcels(Workflow, unique="parcelid", current=2):
            class V1(Workflow, version=1):
                start_step = Done

            class V2(Workflow, version=2):
                start_step = Done

        yield Parcels
        registry.unregister(Parcels)
        for version in Parcels.versions.values():
            registry.unregister(version)

    async def test_a_class_means_the_runs_of_its_name(
        self, storage: Storage, umbrella: type[Workflow]
    ) -> None:
        runs = await _runs_of(storage, umbrella)

        found = await storage.query(workflow=umbrella.versions[2])

        assert [run.run_id for run in found] == [runs["V2"].run_id]

    @pytest.mark.parametrize("by", ["class", "name"])
    async def test_an_umbrella_means_all_its_versions(
        self, storage: Storage, umbrella: type[Workflow], by: str
    ) -> None:
        runs = await _runs_of(storage, umbrella)

        found = await storage.query(workflow=umbrella if by == "class" else umbrella.name)

        assert {run.run_id for run in found} == {runs["V1"].run_id, runs["V2"].run_id}

    @pytest.mark.parametrize("by", ["class", "name"])
    async def test_an_umbrella_means_the_runs_from_before_it_was_one_as_well(
        self, storage: Storage, umbrella: type[Workflow], by: str
    ) -> None:
        workflow = umbrella if by == "class" else umbrella.name
        runs = await _runs_of(storage, umbrella)
        old = await store(storage, new_run("parcelid::4", workflow=umbrella.name))

        found = await storage.query(workflow=workflow)

        assert {run.run_id for run in found} == {
            old.run_id, runs["V1"].run_id, runs["V2"].run_id
        }  # fmt: skip
        assert await storage.count(workflow=workflow, workflow_version=1) == 2
        assert (await storage.get("parcelid::4", workflow=workflow, version=1)).run_id == old.run_id
        assert set(await storage.ids(workflow)) == {"parcelid::1", "parcelid::4"}

    async def test_an_umbrella_goes_together_with_a_family_and_a_version(
        self, storage: Storage, umbrella: type[Workflow]
    ) -> None:
        await _runs_of(storage, umbrella)

        counts = [
            await storage.count(workflow=umbrella, workflow_family=f"{umbrella.name}.V"),
            await storage.count(workflow=umbrella, workflow_family="shop."),
            await storage.count(workflow=umbrella, workflow_version=2),
        ]

        assert counts == [2, 0, 1]

    @pytest.mark.parametrize("by", ["class", "name"])
    async def test_get_and_ids_take_an_umbrella_as_well(
        self, storage: Storage, umbrella: type[Workflow], by: str
    ) -> None:
        runs = await _runs_of(storage, umbrella)
        workflow = umbrella if by == "class" else umbrella.name

        found = await storage.get("parcelid::1", workflow=workflow, version=1)

        assert found.run_id == runs["V1"].run_id
        assert await storage.ids(workflow) == ["parcelid::1"]

    @pytest.mark.parametrize(
        ("family", "others"),
        [
            ("shop%Orders", ["shop.Orders"]),
            ("shop_Orders.", ["shop.Orders.V1"]),
            (r"shop\Orders.", ["shopOrders.V1", "shop.Orders.V1"]),
            (r"shop\_Orders", ["shop_Orders"]),
            ("shop*", ["shop.Orders"]),
            ("shop?[a]", ["shop.a"]),
            ("shop.Orders.", ["shop.Orders", "shop.OrdersOld", "shop_Orders."]),
            ("Shop.Örders", ["shop.örders", "Shop.Orders"]),
        ],
    )
    async def test_every_character_of_a_family_is_literal(
        self, storage: Storage, family: str, others: list[str]
    ) -> None:
        member = await store(storage, new_run(workflow=f"{family}V1"))
        for other in others:
            await store(storage, new_run(workflow=other))

        found = await storage.query(workflow_family=family)

        assert [run.run_id for run in found] == [member.run_id]


async def _runs_of(storage: Storage, umbrella: type[Workflow]) -> dict[str, Instance]:
    """Store a run of each version, and runs of workflows whose names come close."""
    runs = {
        f"V{number}": new_run("parcelid::1", workflow=version.name, workflow_version=number)
        for number, version in umbrella.versions.items()
    }
    runs["sibling"] = new_run("parcelid::2", workflow=f"{umbrella.name}Old.V1")
    runs["stranger"] = new_run("parcelid::3", workflow="shop.Orders")
    for run in runs.values():
        await store(storage, run)
    return runs
