"""What a workflow class declares besides its graph, checked."""

import re
from collections.abc import Mapping
from typing import Any

from hephaestus import data, inputs
from hephaestus.errors import DefinitionError, InvalidArgument, NotSerializable, UnsoundKey
from hephaestus.key import Unique
from hephaestus.retry import Retry

_LONGEST_NAME = 255
_NAME = re.compile(rf"\S{{1,{_LONGEST_NAME}}}")
_LARGEST_VERSION = 2**31 - 1


def checked_name(name: object, workflow: type) -> str:
    """Return the name given, else the place where the class is defined."""
    if name is None:
        name = f"{workflow.__module__}.{workflow.__qualname__}"
    # Unique keys put the name between spaces, and columns hold no more.
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not name.isprintable():
        raise DefinitionError(
            f"workflow {workflow.__qualname__}: name must be a text of 1 to {_LONGEST_NAME} "
            f"printable characters without spaces, got {name!r}; set name="
        )
    return name


def checked_tags(tags: object, where: str) -> tuple[str, ...]:
    """Return the tags as a tuple; none were given: an empty one."""
    if tags is None:
        return ()
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise DefinitionError(f"{where}: tags must be a list or tuple of texts, got {tags!r}")
    _check_plain(list(tags), where, "tags")
    return tuple(tags)


def checked_metadata(metadata: object, where: str) -> dict[str, Any]:
    """Return a copy of the metadata; none was given: an empty one."""
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise DefinitionError(f"{where}: metadata must be a mapping, got {metadata!r}")
    _check_plain(metadata, where, "metadata")
    copy: dict[str, Any] = data.normalise(metadata)
    return copy


def checked_unique(unique: object, where: str) -> Unique | None:
    """Return what was declared as a `Unique`; a key alone is unique per workflow.

    Raises:
        UnsoundKey: The key is not one.
    """
    if unique is None or isinstance(unique, Unique):
        return unique
    try:
        return Unique(unique)  # type: ignore[arg-type]  # it refuses what is no text
    except InvalidArgument as error:
        raise UnsoundKey(f"{where}: {error}") from error


def checked_version(version: object, where: str, field: str = "version") -> int:
    """Return the number of a version."""
    # A bool is an int to Python, and `version=True` is always a slip.
    if isinstance(version, bool) or not isinstance(version, int):
        raise DefinitionError(f"{where}: {field} must be a whole number from 1, got {version!r}")
    if not 1 <= version <= _LARGEST_VERSION:
        raise DefinitionError(
            f"{where}: {field} must be from 1 to {_LARGEST_VERSION}, got {version!r}"
        )
    return version


def checked_retry(retry: object, where: str) -> Retry | None:
    """Return the policy of all steps that have none."""
    if retry is not None and not isinstance(retry, Retry):
        raise DefinitionError(f"{where}: retry must be a Retry, got {retry!r}")
    return retry


def checked_app(app: object, where: str) -> str | None:
    """Return the name of the app that alone may run the workflow."""
    if app is not None and (not isinstance(app, str) or not app):
        raise DefinitionError(f"{where}: app must be the name of an app, got {app!r}")
    return app


def checked_input(kind: object, where: str) -> Any:
    """Return the type that the initial data have."""
    try:
        inputs.check_type(kind)
    except InvalidArgument as error:
        raise DefinitionError(f"{where}: input= does not do: {error}") from error
    return kind


def _check_plain(value: object, where: str, field: str) -> None:
    try:
        data.check_plain(value, field)
    except NotSerializable as error:
        raise DefinitionError(f"{where}: {error}") from error
