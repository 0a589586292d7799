"""The names that a user imports."""

import inspect
import pkgutil

import hephaestus
from hephaestus import errors

VALUES = [
    "Choose",
    "Codec",
    "Context",
    "Debug",
    "Done",
    "Entry",
    "Halt",
    "Handle",
    "Hephaestus",
    "Instance",
    "LocalRunner",
    "MemoryStorage",
    "Retry",
    "Status",
    "Step",
    "StepContext",
    "Suspend",
    "Unique",
    "Wait",
    "WaitForEvent",
    "Workflow",
    "__version__",
    "step",
    "telemetry",
]
ERRORS = [
    "AlreadyRunning",
    "AmbiguousEvent",
    "AmbiguousInstance",
    "DamagedInstance",
    "DefinitionError",
    "Fatal",
    "HephaestusError",
    "InstanceFailed",
    "InstanceFinished",
    "InstanceNotFound",
    "InvalidArgument",
    "NoApp",
    "NotRetryable",
    "NotSerializable",
    "PayloadTooLarge",
    "SchemaOutdated",
    "SeveralApps",
    "StaleInstance",
    "StorageUnavailable",
    "TransactionConflict",
    "UnknownEvent",
    "UnknownFilter",
    "UnknownWorkflow",
    "UnsoundKey",
    "WaitTimeout",
]


def test_the_names_are_those_that_are_promised() -> None:
    assert sorted(VALUES + ERRORS) == sorted(hephaestus.__all__)
    assert all(hasattr(hephaestus, name) for name in hephaestus.__all__)


def test_every_error_is_found_in_both_places() -> None:
    public = {name: found for name, found in vars(errors).items() if is_public_error(name, found)}

    assert sorted(public) == ERRORS
    assert all(getattr(hephaestus, name) is found for name, found in public.items())


def test_no_module_bears_the_name_of_something_else() -> None:
    modules = {module.name for module in pkgutil.iter_modules(hephaestus.__path__)}

    assert {"telemetry"} == modules & set(hephaestus.__all__)
    assert inspect.ismodule(hephaestus.telemetry)


def is_public_error(name: str, found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Exception) and not name.startswith("_")
