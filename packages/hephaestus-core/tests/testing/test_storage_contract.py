"""StorageContract: whole, and made so that no clause is lost."""

import inspect
import pkgutil
from collections import Counter
from importlib import import_module

from hephaestus.testing import StorageContract, storage


def clauses(topic: type) -> set[str]:
    """Return the names of the tests that a class itself defines."""
    return {name for name in vars(topic) if name.startswith("test_")}


def test_no_clause_hides_another_of_its_name() -> None:
    topics = StorageContract.__mro__

    counts = Counter(name for topic in topics for name in clauses(topic))

    assert [name for name, count in counts.items() if count > 1] == []


def test_every_topic_of_the_package_is_part_of_the_contract() -> None:
    names = [
        module.name
        for module in pkgutil.iter_modules(storage.__path__, "hephaestus.testing.storage.")
    ]

    classes = {
        topic
        for name in names
        for _, topic in inspect.getmembers(import_module(name), inspect.isclass)
        if clauses(topic)
    }

    assert [topic.__name__ for topic in classes if not issubclass(StorageContract, topic)] == []
    assert len(classes) > 20
