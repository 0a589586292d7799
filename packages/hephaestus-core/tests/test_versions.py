"""Versions of a workflow under an umbrella."""

import types
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from hephaestus import Hephaestus, registry
from hephaestus.errors import AlreadyRunning, DefinitionError, InvalidArgument, UnknownWorkflow
from hephaestus.key import Unique
from hephaestus.memory import MemoryStorage
from hephaestus.retry import Retry
from hephaestus.steps import Done, StepContext, WaitForEvent, step
from hephaestus.testing import VirtualClock
from hephaestus.workflow import Workflow


@step
def create(ctx: StepContext) -> None: ...


class Graph:
    start_step = create
    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = {create: {"done": Done}}


class Parked:
    start_step = WaitForEvent("go", timeout=60)
    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = {
        start_step: {"received": Done, "timeout": Done}
    }


class CreateUser(Workflow, unique="userid", current=2, tags=["users"], retry=Retry(2)):
    class V1(Graph, Workflow, version=1): ...

    class V2(Graph, Workflow, version=2, tags=["new"], metadata={"a": 1}): ...

    class V3(V2, version=3): ...


class Routed(Workflow, unique="routedid", current=1):
    class V1(Graph, Workflow, version=1): ...

    class V2(Graph, Workflow, version=2): ...

    @classmethod
    def version_for(
        cls, versions: Mapping[int, type[Workflow]], *, tenant: str = "", beta: Any = None
    ) -> Any:
        return max(versions) if tenant == "new" else beta


def test_an_umbrella_knows_its_versions_and_has_none_itself() -> None:
    assert {1: CreateUser.V1, 2: CreateUser.V2, 3: CreateUser.V3} == CreateUser.versions
    assert 2 == CreateUser.current
    assert "None" == str(CreateUser.version)
    assert not hasattr(CreateUser, "graph")
    assert not hasattr(CreateUser, "edges")


def test_a_version_is_named_after_its_umbrella_and_counts_as_its_family() -> None:
    assert f"{__name__}.CreateUser.V2" == CreateUser.V2.name
    assert f"{__name__}.CreateUser" == CreateUser.name == CreateUser.V2.family
    assert (2, {}) == (CreateUser.V2.version, CreateUser.V2.versions)


def test_a_version_takes_from_the_umbrella_what_it_does_not_declare() -> None:
    assert Unique("userid") == CreateUser.V1.unique == CreateUser.V2.unique
    assert (("users",), {}) == (CreateUser.V1.tags, CreateUser.V1.metadata)
    assert (("new",), {"a": 1}) == (CreateUser.V2.tags, CreateUser.V2.metadata)
    assert ("users",) == CreateUser.V3.tags
    assert Retry(2) == CreateUser.V1.retry_policy


def test_the_umbrella_and_its_versions_are_registered() -> None:
    assert CreateUser is registry.find(CreateUser.name)
    assert CreateUser.V1 is registry.find(CreateUser.V1.name, 1)
    assert CreateUser.V1 is registry.find(CreateUser.name, 1)
    assert (CreateUser.V3.name, 3) in registry.known()


def test_current_starts_unless_another_version_is_given() -> None:
    assert CreateUser.V2 is CreateUser.resolve()
    assert CreateUser.V1 is CreateUser.resolve(1)
    assert CreateUser.V3 is CreateUser.V3.resolve()


@pytest.mark.parametrize("version", [0, 4, True, "1", 1.0, [1]])
def test_an_unknown_version_is_refused_with_those_that_exist(version: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"CreateUser' has no version .*: 1, 2, 3\)"):
        CreateUser.resolve(version)


def test_the_hook_chooses_where_no_version_is_given() -> None:
    assert Routed.V2 is Routed.resolve(None, {"tenant": "new"})
    assert Routed.V1 is Routed.resolve(None, {"tenant": "old"}) is Routed.resolve()
    assert Routed.V1 is Routed.resolve(1, {"tenant": "new"})


@pytest.mark.parametrize("answer", [7, True, "2"])
def test_a_hook_that_chooses_what_does_not_exist_is_refused(answer: Any) -> None:
    with pytest.raises(InvalidArgument, match="has no version"):
        Routed.resolve(None, {"beta": answer})


@pytest.mark.parametrize("version", [None, 2])
def test_options_that_the_hook_does_not_take_are_refused(version: int | None) -> None:
    with pytest.raises(TypeError, match=r"start of workflow .*Routed'.* 'region'"):
        Routed.resolve(version, {"region": "eu"})
    with pytest.raises(TypeError, match=r"'tenant'"):
        CreateUser.resolve(version, {"tenant": "x"})


def test_a_hook_may_take_every_option_and_need_not_say_that_it_is_a_class_method() -> None:
    class Open(Workflow, unique="openid", current=1):
        class V1(Graph, Workflow, version=1): ...

        def version_for(  # type: ignore[override]  # see the name
            cls: Any,  # noqa: N805
            versions: Any,
            **options: Any,
        ) -> Any:
            assert cls is Open
            return options["wanted"]

    assert Open.V1 is Open.resolve(None, {"wanted": 1, "more": 2})


def test_an_async_hook_is_refused() -> None:
    with pytest.raises(DefinitionError, match="version_for must be plain"):

        class Slow(Workflow, unique="slowid", current=1):
            class V1(Graph, Workflow, version=1): ...

            async def version_for(self, versions: Any) -> int:  # type: ignore[override]
                return 1


def test_a_version_waits_for_its_umbrella() -> None:
    seen = []

    class Late(Workflow, unique="lateid", current=1):
        class V1(Graph, Workflow, version=1): ...

        seen.append((V1.unique, V1.graph.start))
        with pytest.raises(UnknownWorkflow):
            registry.find(V1.name)
        with pytest.raises(InvalidArgument, match="has no key yet"):
            V1.resolve()

    assert [(None, "create")] == seen
    assert Late.V1 is registry.find(Late.V1.name, 1)


def test_the_names_of_versions_follow_a_given_name() -> None:
    class Import(Workflow, unique="importid", name="imports", current=1):
        class V1(Graph, Workflow, version=1, unique="importid"): ...

    assert "imports.V1" == Import.V1.name
    assert Import.V1 is registry.find("imports", 1)
    with pytest.raises(UnknownWorkflow):
        registry.find(f"{Import.__module__}.{Import.V1.__qualname__}")


def plain() -> type[Workflow]:
    """Define a workflow that has no versions yet."""

    class Growing(Parked, Workflow, unique="growing"):
        __qualname__ = "Growing"

    return Growing


def grown() -> type[Workflow]:
    """Define it again, in the same place, as an umbrella."""

    class Growing(Workflow, unique="growing", current=2):
        __qualname__ = "Growing"

        class V1(Parked, Workflow, version=1):
            __qualname__ = "Growing.V1"

        class V2(Graph, Workflow, version=2):
            __qualname__ = "Growing.V2"

    return Growing


async def test_a_run_begun_before_its_workflow_became_an_umbrella_ends() -> None:
    storage = MemoryStorage()
    async with Hephaestus(storage):
        old = await plain().start("1", {})
        await old.wait(5, until="waiting")
    umbrella = grown()
    async with Hephaestus(storage) as app:
        found = await app.query(workflow=umbrella)
        with pytest.raises(AlreadyRunning):
            await umbrella.start("1", {})
        await umbrella.resume("1", "go")
        instance = await app.wait(old.run_id, 5)

    assert [old.run_id] == [run.run_id for run in found]
    assert ("completed", umbrella.name, 1) == (
        instance.status, instance.workflow, instance.workflow_version
    )  # fmt: skip


async def test_a_timer_set_before_its_workflow_became_an_umbrella_fires() -> None:
    storage, clock = MemoryStorage(), VirtualClock()
    async with Hephaestus(storage, clock=clock):
        old = await plain().start("2", {})
        await clock.advance(1)
    grown()
    async with Hephaestus(storage, clock=clock) as app:
        await clock.advance(60)
        instance = await app.get(old.run_id)

    assert "completed" == instance.status


def version(number: int | None, place: str = "V1", /, body: Any = Graph, **declared: Any) -> Any:
    """Return a class that is nested in the umbrella that `umbrella` defines."""
    if number is not None:
        declared["version"] = number

    def fill(namespace: dict[str, Any]) -> None:
        namespace |= {"__module__": __name__, "__qualname__": f"Umbrella.{place}"}

    return types.new_class(place, (body, Workflow), declared, fill)


def umbrella(
    *nested: Any, body: Mapping[str, Any] | None = None, **declared: Any
) -> type[Workflow]:
    def fill(namespace: dict[str, Any]) -> None:
        namespace |= {"__module__": __name__, "__qualname__": "Umbrella"}
        namespace |= {cls.__name__: cls for cls in nested} | dict(body or {})

    made: type[Workflow] = types.new_class(
        "Umbrella", (Workflow,), {"unique": "umbrellaid"} | declared, fill
    )
    return made


def test_a_sound_umbrella_is_accepted() -> None:
    assert [1, 7] == list(umbrella(version(7, "V7"), version(1), current=7).versions)


def test_one_class_under_two_names_is_one_version() -> None:
    first = version(1)

    assert {1: first} == umbrella(first, body={"Latest": first}, current=1).versions


def test_an_umbrella_says_which_version_is_current() -> None:
    with pytest.raises(DefinitionError, match=r"current must be one of its versions \(1\), got No"):
        umbrella(version(1))


@pytest.mark.parametrize("current", [2, 0, True, "1"])
def test_current_is_one_of_the_versions(current: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Umbrella': current must be"):
        umbrella(version(1), current=current)


def test_an_umbrella_without_versions_is_refused() -> None:
    with pytest.raises(DefinitionError, match="none; nest one as `class V1"):
        umbrella(current=1)


@pytest.mark.parametrize("number", [1, 5])
def test_an_umbrella_has_no_version_of_its_own(number: int) -> None:
    with pytest.raises(DefinitionError, match="remove version="):
        umbrella(version(1), current=1, version=number)


@pytest.mark.parametrize("field", ["start_step", "transitions"])
def test_an_umbrella_has_no_graph_of_its_own(field: str) -> None:
    with pytest.raises(DefinitionError, match="belong into each of them"):
        umbrella(version(1), body={field: getattr(Graph, field)}, current=1)


def test_an_umbrella_needs_a_key() -> None:
    with pytest.raises(DefinitionError, match="does not say what identifies a run"):
        umbrella(version(1), current=1, unique=None)


def test_two_versions_of_one_number_are_refused() -> None:
    with pytest.raises(DefinitionError, match="V1 and V2 both say version=1"):
        umbrella(version(1), version(1, "V2"), current=1)


def test_a_version_without_a_number_is_refused() -> None:
    with pytest.raises(DefinitionError, match="V2 has no number; add version="):
        umbrella(version(1), version(None, "V2", unique="umbrellaid"), current=1)


def test_a_version_that_is_defined_elsewhere_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"CreateUser\.V1 is defined elsewhere"):
        umbrella(version(1), CreateUser.V1, current=1)


def test_a_version_of_another_key_is_refused() -> None:
    with pytest.raises(DefinitionError, match="V1 takes unique from its umbrella"):
        umbrella(version(1, unique="otherid"), current=1)


def test_a_version_with_a_name_of_its_own_is_refused() -> None:
    named = version(1, name="v-one")

    with pytest.raises(DefinitionError, match="V1 is named after its umbrella"):
        umbrella(named, current=1)


def test_an_umbrella_cannot_be_a_version() -> None:
    with pytest.raises(DefinitionError, match="cannot hold versions itself"):

        class Outer(Workflow, unique="outerid", current=1):
            class Inner(Workflow, unique="outerid", current=1):
                class V1(Graph, Workflow, version=1): ...


def test_a_version_without_a_sound_graph_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"Umbrella\.V1' has no start_step"):
        version(1, body=type("Empty", (), {}))


def test_a_version_outside_any_class_needs_a_key() -> None:
    with pytest.raises(DefinitionError, match="does not say what identifies a run"):

        class V1(Graph, Workflow, version=1): ...


def test_a_whole_workflow_nested_in_another_is_no_version_of_it() -> None:
    class Outer(Graph, Workflow, unique="outerid"):
        class Inner(Graph, Workflow, unique="innerid", version=2): ...

    assert {} == Outer.versions
    assert Outer.Inner is registry.find(Outer.Inner.name, 2)


def test_a_forgotten_current_is_told_where_complete_versions_are_nested() -> None:
    with pytest.raises(DefinitionError, match=r"current must be one of its versions \(1\)"):

        class Outer(Workflow, unique="outerid"):
            class V1(Graph, Workflow, unique="outerid", version=1): ...
