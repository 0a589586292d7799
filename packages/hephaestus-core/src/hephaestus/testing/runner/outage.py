"""A storage that can be away, and counts."""

import inspect
from collections import Counter
from typing import Any, cast

from hephaestus.errors import StorageUnavailable
from hephaestus.storage import Storage
from hephaestus.testing.runner.stage import eventually

_ALWAYS_THERE = frozenset({"open", "close"})


class Outage:
    """Stands between an app and its storage, and lets calls fail when told to.

    With its storage away for good, an app is as good as dead: it can neither renew nor give
    back what it holds.
    """

    def __init__(self, storage: Storage) -> None:
        self._inner = storage
        self._away = False
        self._before: Counter[str] = Counter()
        self._after: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        """How often each verb was called."""

        self.failures: Counter[str] = Counter()
        """How many of the calls have failed."""

    @property
    def storage(self) -> Storage:
        """What the app takes for its storage."""
        return cast("Storage", self)

    def begin(self) -> None:
        """Let every call fail from now on."""
        self._away = True

    def end(self) -> None:
        """Let no call fail any more."""
        self._away = False
        self._before.clear()
        self._after.clear()

    def fail(self, verb: str, times: int = 1) -> None:
        """Let the next calls of a verb fail without any effect."""
        self._before[verb] += times

    def lose_answer(self, verb: str, times: int = 1) -> None:
        """Let the next calls of a verb take effect, and fail all the same."""
        self._after[verb] += times

    async def goes_on(self, verb: str) -> None:
        """Return when a call of a verb that began after this one has ended.

        For verbs that are called one after the other, by a loop: the next but one has begun.
        """
        before = self.calls[verb]

        async def came() -> bool:
            return self.calls[verb] >= before + 2

        await eventually(came)

    def __getattr__(self, name: str) -> Any:
        """Return the storage's own attribute, or a verb of it that can fail."""
        found = getattr(self._inner, name)
        if name in _ALWAYS_THERE or not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if self._away or self._counts(self._before, name):
                raise self._error(name)
            returned = await found(*args, **kwargs)
            if self._counts(self._after, name):
                raise self._error(name)
            return returned

        return call

    def _counts(self, left: Counter[str], verb: str) -> bool:
        if not left[verb]:
            return False
        left[verb] -= 1
        return True

    def _error(self, verb: str) -> StorageUnavailable:
        self.failures[verb] += 1
        return StorageUnavailable(type(self._inner).__name__, f"{verb} was made to fail")
