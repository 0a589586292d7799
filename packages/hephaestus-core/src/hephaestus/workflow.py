"""What users subclass to define a workflow."""

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Never

from hephaestus import inputs, registry
from hephaestus.declared import (
    checked_app,
    checked_input,
    checked_metadata,
    checked_name,
    checked_retry,
    checked_tags,
    checked_unique,
    checked_version,
)
from hephaestus.errors import DefinitionError, InvalidArgument
from hephaestus.facade import Facade
from hephaestus.graph import Graph
from hephaestus.key import Unique
from hephaestus.nearest import no_option
from hephaestus.proof import prove
from hephaestus.retry import Retry
from hephaestus.steps.body import is_coroutine_function
from hephaestus.steps.names import Keyed, key_of
from hephaestus.transitions import Edge

_OPTIONS = (
    "unique", "name", "version", "current", "tags", "metadata", "retry", "app", "input",
)  # fmt: skip
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_NO_VERSIONS: Mapping[int, "type[Workflow]"] = MappingProxyType({})


class Workflow(Facade):
    """A graph of steps, proven when the class is defined.

    Subclass it with `start_step` and `transitions`; or, as an umbrella over versions, with
    nested workflows that say `version=`, and `current=` to say which of them starts. A workflow
    may become an umbrella: its runs go on as those of the version that bears its number.

    Raises:
        DefinitionError: At the definition of a subclass that is not sound.
    """

    start_step: ClassVar[Any] = None
    """The first step, with config or without."""

    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = MappingProxyType({})
    """Step → event → target."""

    tags: ClassVar[tuple[str, ...]] = ()
    """Carried by every run; filters find them."""

    metadata: ClassVar[dict[str, Any]] = {}
    """Seen by every step, and sent along with every message to a broker."""

    retry_policy: ClassVar[Retry | None] = None
    """The policy of the steps that have none of their own."""

    input: ClassVar[Any] = None
    """The type of the initial data, as `ctx.input` shows them; None: any mapping will do."""

    version: ClassVar[int]
    """The number of this definition; None for an umbrella."""

    versions: ClassVar[Mapping[int, "type[Workflow]"]] = _NO_VERSIONS
    """The definitions under an umbrella, by number; empty for any other workflow."""

    current: ClassVar[int | None] = None
    """The version that an umbrella starts unless told otherwise."""

    family: ClassVar[str] = ""
    """The name under which versions count as one workflow: the umbrella's, or its own."""

    graph: ClassVar[Graph]
    """The proven graph; an umbrella has none."""

    edges: ClassVar[tuple[Edge, ...]]
    """The transitions of the graph, static ones first; an umbrella has none."""

    _declared: ClassVar[frozenset[str]] = frozenset()
    """Which of its attributes a version does not take from its umbrella."""

    def __init_subclass__(
        cls,
        *,
        unique: Unique | str | None = None,
        name: str | None = None,
        version: int | None = None,
        current: int | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        retry: Retry | None = None,
        app: str | None = None,
        input: Any = None,
        **unknown: Never,
    ) -> None:
        super().__init_subclass__()
        cls._declared = _given(
            unique=unique, name=name, version=version, tags=tags, metadata=metadata,
            retry_policy=retry, app=app,
        )  # fmt: skip
        cls.name = cls.family = checked_name(name, cls)
        where = f"workflow {cls.name!r}"
        for option in unknown:
            raise DefinitionError(no_option(where, option, _OPTIONS))
        cls.tags = checked_tags(tags, where)
        cls.metadata = checked_metadata(metadata, where)
        cls.unique = checked_unique(unique, where)
        nested = _nested(cls)
        is_umbrella = current is not None or _are_versions(nested, cls)
        _check_has_unique(cls, where, waits=_declares(cls, "version") and not is_umbrella)
        number = 1 if version is None else checked_version(version, where)
        cls.retry_policy = checked_retry(retry, where)
        cls.app = checked_app(app, where)
        if input is not None:
            cls.input = checked_input(input, where)
        _adapt_hook(cls, where)
        if is_umbrella:
            _define_umbrella(cls, nested, current, where)
        else:
            _define(cls, number)

    @classmethod
    def version_for(
        cls,
        versions: Mapping[int, "type[Workflow]"],  # noqa: ARG003  # for those who override it
    ) -> int | None:
        """Choose the version that an umbrella starts; None leaves it to `current`.

        Override it with the options of `start` that it needs as further parameters.
        """
        return None

    @classmethod
    def resolve(
        cls, version: int | None = None, options: Mapping[str, Any] = _NO_OPTIONS
    ) -> "type[Workflow]":
        """Return the definition that a start means: the version given, chosen or current.

        Raises:
            InvalidArgument: There is no such version.
            TypeError: `version_for` does not take one of the options.
        """
        cls.declared_unique()
        _check_options(cls, options)
        if not cls.versions:
            return cls if version is None else _picked({cls.version: cls}, version, cls.name)
        if version is None:
            version = cls.version_for(cls.versions, **options)
        return _picked(cls.versions, cls.current if version is None else version, cls.name)

    @classmethod
    def plain_initial(cls, initial: object) -> object:
        """Return initial data as they are stored, if they fit the declared `input`.

        Raises:
            InvalidArgument: They do not fit; the field is named.
        """
        return inputs.plain(cls.input, initial, cls.name)

    @classmethod
    def predecessors(cls, step: Keyed | type[Keyed] | str) -> frozenset[str]:
        """Return the keys of the steps that may come right before a step."""
        return frozenset(cls.graph.predecessors.get(key_of(step), ()))


def _given(**given: object) -> frozenset[str]:
    return frozenset(field for field, value in given.items() if value is not None)


def _declares(workflow: type[Workflow], field: str) -> bool:
    return field in workflow._declared  # noqa: SLF001  # its class is this module's


def _nested(workflow: type[Workflow]) -> list[type[Workflow]]:
    """Return the workflows in the body of a class, each once."""
    found = [v for v in vars(workflow).values() if isinstance(v, type) and issubclass(v, Workflow)]
    return list(dict.fromkeys(found))


def _are_versions(nested: Sequence[type[Workflow]], workflow: type[Workflow]) -> bool:
    waiting = any(child.unique is None for child in nested)
    return waiting or (bool(nested) and workflow.start_step is None)


def _check_has_unique(workflow: type[Workflow], where: str, *, waits: bool) -> None:
    parent = workflow.__qualname__.rpartition(".")[0]
    is_nested = parent != "" and not parent.endswith("<locals>")
    if workflow.unique is None and not (waits and is_nested):
        raise DefinitionError(f"{where} does not say what identifies a run; add unique='orderid'")


def _adapt_hook(workflow: type[Workflow], where: str) -> None:
    hook = vars(workflow).get("version_for")
    if inspect.isfunction(hook):
        # Like __init_subclass__, it is a class method whether or not it says so.
        setattr(workflow, "version_for", classmethod(hook))  # noqa: B010  # mypy forbids the plain form
    if is_coroutine_function(workflow.version_for):
        raise DefinitionError(f"{where}: version_for must be plain, not `async def`")


def _define(workflow: type[Workflow], version: int) -> None:
    """Prove a workflow that has a graph of its own."""
    workflow.version, workflow.versions, workflow.current = version, _NO_VERSIONS, None
    workflow.graph = prove(workflow.name, workflow.start_step, workflow.transitions)
    workflow.edges = workflow.graph.edges
    if workflow.unique is not None:
        registry.register(workflow)


def _define_umbrella(
    umbrella: type[Workflow], nested: Sequence[type[Workflow]], current: int | None, where: str
) -> None:
    """Make nested workflows the versions of an umbrella."""
    if _declares(umbrella, "version"):
        raise DefinitionError(f"{where} holds versions, so it has none itself; remove version=")
    if umbrella.start_step is not None or umbrella.transitions:
        raise DefinitionError(
            f"{where} holds versions, so start_step and transitions belong into each of them"
        )
    versions: dict[int, type[Workflow]] = {}
    for child in nested:
        _check_version_class(umbrella, child, where)
        known = versions.setdefault(child.version, child)
        if known is not child:
            raise DefinitionError(
                f"{where}: {known.__name__} and {child.__name__} both say "
                f"version={child.version}; give each its own"
            )
    numbers = ", ".join(map(str, sorted(versions))) or "none; nest one as `class V1(Workflow, …)`"
    if current is None or checked_version(current, where, "current") not in versions:
        raise DefinitionError(
            f"{where}: current must be one of its versions ({numbers}), got {current!r}"
        )
    for child in versions.values():
        _adopt(umbrella, child)
    umbrella.version = None  # type: ignore[assignment]  # resolve gives a class that has one
    umbrella.versions = MappingProxyType(dict(sorted(versions.items())))
    umbrella.current = current
    registry.register(umbrella)


def _check_version_class(umbrella: type[Workflow], child: type[Workflow], where: str) -> None:
    if (child.__module__, child.__qualname__) != (
        umbrella.__module__,
        f"{umbrella.__qualname__}.{child.__name__}",
    ):
        raise DefinitionError(
            f"{where}: {child.__qualname__} is defined elsewhere; a version is a class written "
            "in the body of its umbrella"
        )
    if child.versions:
        raise DefinitionError(f"{where}: its version {child.__name__} cannot hold versions itself")
    if not _declares(child, "version"):
        raise DefinitionError(f"{where}: {child.__name__} has no number; add version=")
    if _declares(child, "name"):
        raise DefinitionError(
            f"{where}: {child.__name__} is named after its umbrella; remove its name="
        )
    if child.unique not in (None, umbrella.unique):
        raise DefinitionError(
            f"{where}: {child.__name__} takes unique from its umbrella; remove its own"
        )


def _adopt(umbrella: type[Workflow], child: type[Workflow]) -> None:
    registry.unregister(child)
    child.name = checked_name(f"{umbrella.name}.{child.__name__}", child)
    child.family = umbrella.name
    child.unique = umbrella.unique
    if child.input is None:
        child.input = umbrella.input
    for field in ("tags", "metadata", "retry_policy", "app"):
        if not _declares(child, field):
            setattr(child, field, getattr(umbrella, field))


def _check_options(workflow: type[Workflow], options: Mapping[str, Any]) -> None:
    if not options:
        return
    try:
        inspect.signature(workflow.version_for).bind_partial(workflow.versions, **options)
    except TypeError as error:
        raise TypeError(
            f"start of workflow {workflow.name!r}: {error}; it takes only the options that its "
            "version_for takes"
        ) from None


def _picked(versions: Mapping[int, type[Workflow]], version: object, name: str) -> type[Workflow]:
    # A bool is an int to Python, and `version=True` is always a slip.
    if isinstance(version, bool) or not isinstance(version, int) or version not in versions:
        raise InvalidArgument(
            f"workflow {name!r} has no version {version!r} "
            f"(versions: {', '.join(map(str, versions))})"
        )
    return versions[version]
