"""What the driver and the server report, as the one error of ours that it is to others."""

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ChildDeadlockedError,
    ClusterCrossSlotError,
    ClusterDownError,
    IncorrectPolicyType,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as TooSlow

from hephaestus.errors import StorageUnavailable

STORAGE = "RedisStorage"

FOREIGN = (RedisError, RedisClusterException, ChildDeadlockedError, IncorrectPolicyType, OSError)
"""Everything that the driver raises; what it does not wrap of the network's is an OSError."""

_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "the server refuses the user name or the password"),
    (AuthorizationError, "the server refuses the user"),
    (NoPermissionError, "the user may not do that; it needs the namespace's keys and scripting"),
    (BusyLoadingError, "the server is still reading its data"),
    (OutOfMemoryError, "the server's memory is full; raise maxmemory, or shorten retention="),
    (ReadOnlyError, "the server is a replica; connect to the primary"),
    (ClusterCrossSlotError, "the namespace's keys are not in one slot"),
    (MovedError, "another node of the cluster has the namespace; give a RedisCluster client"),
    (ClusterDownError, "the cluster is down"),
    (TooSlow, "the server did not answer in time"),
    (NotConnected, "there is no connection to the server"),
)
_REPLIES = (
    ("BUSY ", "the server is busy with somebody's script"),
    ("MISCONF ", "the server cannot write to its disk"),
    ("NOREPLICAS ", "the server has too few replicas"),
    ("MASTERDOWN ", "the server is a replica without its primary"),
)
"""How replies begin for which the driver has no class."""


def unavailable(error: BaseException) -> StorageUnavailable:
    """Return our error for one of the driver's."""
    said = str(error) or type(error).__name__
    meaning = _meaning(error, said)
    ours = StorageUnavailable(STORAGE, f"{meaning} ({said})" if meaning else said)
    # What the driver went through before it gave up is eighty lines, and its last one is told.
    error.__suppress_context__ = True
    ours.__cause__ = error.with_traceback(None)
    return ours


def _meaning(error: BaseException, said: str) -> str | None:
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            return meaning
    for beginning, meaning in _REPLIES:
        if said.startswith(beginning):
            return meaning
    return None
