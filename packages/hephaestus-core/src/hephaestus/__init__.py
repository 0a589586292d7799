"""Durable workflows that an application embeds."""

from hephaestus import telemetry
from hephaestus.__about__ import __version__
from hephaestus.app import Hephaestus
from hephaestus.codec import Codec
from hephaestus.context import Context
from hephaestus.errors import (
    AlreadyRunning,
    AmbiguousEvent,
    AmbiguousInstance,
    DamagedInstance,
    DefinitionError,
    Fatal,
    HephaestusError,
    InstanceFailed,
    InstanceFinished,
    InstanceNotFound,
    InvalidArgument,
    NoApp,
    NotRetryable,
    NotSerializable,
    PayloadTooLarge,
    SchemaOutdated,
    SeveralApps,
    StaleInstance,
    StorageUnavailable,
    TransactionConflict,
    UnknownEvent,
    UnknownFilter,
    UnknownWorkflow,
    UnsoundKey,
    WaitTimeout,
)
from hephaestus.handle import Handle
from hephaestus.instance import Entry, Instance, Status
from hephaestus.key import Unique
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.outcome import Halt, Suspend
from hephaestus.retry import Retry
from hephaestus.steps import Debug, Done, Step, StepContext, Wait, WaitForEvent, step
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow

__all__ = [
    "AlreadyRunning",
    "AmbiguousEvent",
    "AmbiguousInstance",
    "Choose",
    "Codec",
    "Context",
    "DamagedInstance",
    "Debug",
    "DefinitionError",
    "Done",
    "Entry",
    "Fatal",
    "Halt",
    "Handle",
    "Hephaestus",
    "HephaestusError",
    "Instance",
    "InstanceFailed",
    "InstanceFinished",
    "InstanceNotFound",
    "InvalidArgument",
    "LocalRunner",
    "MemoryStorage",
    "NoApp",
    "NotRetryable",
    "NotSerializable",
    "PayloadTooLarge",
    "Retry",
    "SchemaOutdated",
    "SeveralApps",
    "StaleInstance",
    "Status",
    "Step",
    "StepContext",
    "StorageUnavailable",
    "Suspend",
    "TransactionConflict",
    "Unique",
    "UnknownEvent",
    "UnknownFilter",
    "UnknownWorkflow",
    "UnsoundKey",
    "Wait",
    "WaitForEvent",
    "WaitTimeout",
    "Workflow",
    "__version__",
    "step",
    "telemetry",
]
