"""Which workflows this process defines."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hephaestus import registry
from hephaestus.errors import DefinitionError, UnknownWorkflow
from hephaestus.key import Scope, Unique

Define = Callable[..., type[Any]]


@pytest.fixture
def define() -> Iterator[Define]:
    """Make classes that look like workflows to the registry; it forgets them afterwards."""
    made: list[type[Any]] = []

    def defined(
        name: str,
        version: int = 1,
        *,
        key: str = "registrytest",
        scope: Scope = "workflow",
        place: str = "shop",
        versions: dict[int, type[Any]] | None = None,
    ) -> type[Any]:
        cls = type(name.rpartition(".")[2], (), {"__module__": place})
        cls.name, cls.unique = name, Unique(key, scope=scope)  # type: ignore[attr-defined]
        cls.version = None if versions else version  # type: ignore[attr-defined]
        cls.versions = versions or {}  # type: ignore[attr-defined]
        made.append(cls)
        return cls

    yield defined
    for cls in made:
        registry.unregister(cls)


def test_a_registered_workflow_is_found_by_name_and_version(define: Define) -> None:
    order = define("shop.Order", 3)

    registry.register(order)

    assert order is registry.find("shop.Order") is registry.find("shop.Order", 3)
    assert ("shop.Order", 3) in registry.known()


def test_an_unknown_name_is_refused_with_the_nearest_one(define: Define) -> None:
    registry.register(define("shop.Checkout"))

    with pytest.raises(UnknownWorkflow) as caught:
        registry.find("shop.Chekout", 1)

    assert ("shop.Chekout", 1, "shop.Checkout") == (
        caught.value.workflow,
        caught.value.version,
        caught.value.nearest,
    )


def test_another_version_than_the_defined_one_is_unknown(define: Define) -> None:
    registry.register(define("shop.Order", 2))

    with pytest.raises(UnknownWorkflow, match=r"no workflow 'shop\.Order' version 1 is defined"):
        registry.find("shop.Order", 1)


def test_an_umbrella_brings_its_versions(define: Define) -> None:
    v1, v2 = define("shop.Order.V1", 1), define("shop.Order.V2", 2)
    order = define("shop.Order", versions={1: v1, 2: v2})

    registry.register(order)

    assert order is registry.find("shop.Order")
    assert v2 is registry.find("shop.Order", 2) is registry.find("shop.Order.V2", 2)
    assert {("shop.Order.V1", 1), ("shop.Order.V2", 2)} <= registry.known()
    with pytest.raises(UnknownWorkflow):
        registry.find("shop.Order", 3)


def test_runs_from_before_an_umbrella_are_known_under_its_own_name(define: Define) -> None:
    registry.register(define("shop.Order", 1))
    v1, v2 = define("shop.Order.V1", 1), define("shop.Order.V2", 2)

    registry.register(define("shop.Order", versions={1: v1, 2: v2}))

    known = {(name, n) for name, n in registry.known() if name.startswith("shop.Order")}
    assert {
        ("shop.Order", 1), ("shop.Order", 2), ("shop.Order.V1", 1), ("shop.Order.V2", 2)
    } == known  # fmt: skip
    assert v1 is registry.find("shop.Order", 1)


def test_a_reload_replaces_the_class_and_its_version(define: Define) -> None:
    registry.register(define("shop.Order", 1))
    again = define("shop.Order", 2)

    registry.register(again)

    assert again is registry.find("shop.Order", 2)
    assert ("shop.Order", 1) not in registry.known()


def test_a_reloaded_umbrella_forgets_the_versions_that_it_lost(define: Define) -> None:
    old = {1: define("shop.Order.V1", 1), 2: define("shop.Order.V2", 2)}
    registry.register(define("shop.Order", versions=old))
    new = {2: define("shop.Order.V2", 2)}

    registry.register(define("shop.Order", versions=new))

    assert new[2] is registry.find("shop.Order.V2", 2)
    with pytest.raises(UnknownWorkflow):
        registry.find("shop.Order.V1", 1)


def test_a_second_class_of_one_name_from_elsewhere_is_refused(define: Define) -> None:
    first = define("order", place="shop")
    registry.register(first)

    with pytest.raises(DefinitionError, match=r"'order' is already defined by shop\.order, and "):
        registry.register(define("order", place="store"))

    assert first is registry.find("order")


def test_nothing_of_an_umbrella_is_registered_if_one_name_is_taken(define: Define) -> None:
    registry.register(define("order.V2", place="elsewhere"))
    versions = {1: define("order.V1", 1), 2: define("order.V2", 2)}

    with pytest.raises(DefinitionError, match=r"'order\.V2' is already defined"):
        registry.register(define("order", versions=versions))

    with pytest.raises(UnknownWorkflow):
        registry.find("order.V1")


@pytest.mark.parametrize(("first", "second"), [("global", "workflow"), ("none", "global")])
def test_one_key_does_not_mix_global_with_other_scopes(
    define: Define, first: Scope, second: Scope
) -> None:
    registry.register(define("shop.Order", key="mixed", scope=first))

    with pytest.raises(DefinitionError) as caught:
        registry.register(define("shop.Return", key="mixed", scope=second))

    for fact in ("shop.Order", "shop.Return", "mixed", first, second):
        assert repr(fact) in str(caught.value)


def test_one_key_may_have_several_scopes_other_than_global(define: Define) -> None:
    registry.register(define("shop.Order", key="shared", scope="workflow"))

    registry.register(define("shop.Return", key="shared", scope="version"))
    registry.register(define("shop.Refund", key="shared", scope="none"))


def test_a_reload_may_change_the_scope(define: Define) -> None:
    old = {1: define("shop.Order.V1", 1, key="moved")}
    registry.register(define("shop.Order", key="moved", versions=old))
    new = {2: define("shop.Order.V2", 2, key="moved", scope="global")}

    registry.register(define("shop.Order", key="moved", scope="global", versions=new))

    assert new[2] is registry.find("shop.Order", 2)


def test_an_unregistered_workflow_is_gone_and_may_go_twice(define: Define) -> None:
    order = define("shop.Order")
    registry.register(order)

    registry.unregister(order)
    registry.unregister(order)

    with pytest.raises(UnknownWorkflow):
        registry.find("shop.Order")


def test_known_is_the_same_set_until_something_changes(define: Define) -> None:
    registry.register(define("shop.Order"))

    assert registry.known() is registry.known()


def test_what_is_pinned_to_an_app_is_known_to_that_app_alone(define: Define) -> None:
    free, pinned = define("shop.Free"), define("shop.Pinned")
    free.app, pinned.app = None, "second"
    registry.register(free)
    registry.register(pinned)

    both = {("shop.Free", 1), ("shop.Pinned", 1)}
    assert both <= registry.known()
    assert both <= registry.known("second")
    assert both & registry.known("first") == {("shop.Free", 1)}


def test_under_an_umbrella_each_version_is_known_where_it_may_run(define: Define) -> None:
    v1, v2 = define("shop.Order.V1", 1), define("shop.Order.V2", 2)
    v1.app, v2.app = "first", None

    registry.register(define("shop.Order", versions={1: v1, 2: v2}))

    both = {("shop.Order", 1), ("shop.Order", 2)}
    assert both <= registry.known("first")
    assert both & registry.known("second") == {("shop.Order", 2)}
