"""Errors keep their facts and their sentence, wherever they travel."""

import copy
import inspect
import pickle
from typing import Any

import pytest

from hephaestus import errors
from hephaestus.errors import HephaestusError

FACTS: dict[str, tuple[Any, ...]] = {
    "HephaestusError": ("something is wrong",),
    "DefinitionError": ("workflow 'shop.Order' has no start_step",),
    "InvalidArgument": ("limit= takes a whole number",),
    "UnsoundKey": ("workflow 'shop.Order': a unique key must be lower-case letters",),
    "NotSerializable": ("data['price']", "type object is not supported"),
    "PayloadTooLarge": ("data", 2_000_000, 1_048_576),
    "UnknownFilter": ("statsu", ["status", "tag"], "status"),
    "AlreadyRunning": ("orderid::42", "run-1"),
    "InstanceNotFound": ("orderid::42",),
    "AmbiguousInstance": ("orderid::42", [("run-1", "shop.Order", 1), ("run-2", "shop.Bill", 2)]),
    "InstanceFinished": ("orderid::42", "run-1", "completed"),
    "InstanceFailed": ("orderid::42", "run-1", "failed", "step 'charge' raised"),
    "NotRetryable": ("orderid::42", "run-1", "running"),
    "UnknownEvent": ("orderid::42", "payed", ["paid"], "paid"),
    "AmbiguousEvent": ("orderid::42", "paid", ["bill", "invoice"]),
    "UnknownWorkflow": ("shop.Oder", 1, "shop.Order"),
    "DamagedInstance": ("run-1", "it is no JSON"),
    "StaleInstance": ("run-1", 7),
    "StorageUnavailable": ("PostgresStorage", "connection refused"),
    "TransactionConflict": ("deadlock detected",),
    "SchemaOutdated": ("PostgresStorage", 3, 4, "run `migrate`"),
    "WaitTimeout": ("orderid::42", "waiting", 1.5, "step 'paid' waits for an event"),
    "NoApp": ("billing", "it is closed; call open()"),
    "SeveralApps": (["billing", "shop"],),
    "Fatal": ("the card is stolen",),
}
BUILT_IN = {
    "InvalidArgument": ValueError,
    "UnsoundKey": ValueError,
    "NotSerializable": ValueError,
    "PayloadTooLarge": ValueError,
    "UnknownFilter": TypeError,
    "InstanceNotFound": LookupError,
    "UnknownWorkflow": LookupError,
    "WaitTimeout": TimeoutError,
}


def made(name: str) -> HephaestusError:
    error: HephaestusError = getattr(errors, name)(*FACTS[name])
    return error


def test_the_tree_has_these_errors() -> None:
    tree = {
        name
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, HephaestusError) and name[0] != "_"
    }

    assert set(FACTS) == tree
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in tree)


@pytest.mark.parametrize("name", FACTS)
def test_an_error_is_the_same_after_pickling_and_copying(name: str) -> None:
    error = made(name)

    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(error) is type(twin)
        assert (str(error), vars(error), error.args) == (str(twin), vars(twin), twin.args)


@pytest.mark.parametrize("name", FACTS)
def test_a_sentence_holds_every_text_among_the_facts(name: str) -> None:
    sentence = str(made(name))

    assert all(fact in sentence for fact in FACTS[name] if isinstance(fact, str))


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_is_an_attribute(name: str) -> None:
    parameters = list(inspect.signature(type(made(name)).__init__).parameters)[1:]

    if parameters != ["args", "kwargs"]:
        for parameter, fact in zip(parameters, FACTS[name], strict=True):
            kept = tuple(fact) if isinstance(fact, list) else fact
            assert kept == getattr(made(name), parameter)


@pytest.mark.parametrize(("name", "built_in"), BUILT_IN.items())
def test_some_errors_are_built_in_ones_too(name: str, built_in: type[Exception]) -> None:
    assert isinstance(made(name), built_in)
