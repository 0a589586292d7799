"""What PostgreSQL, its driver and SQLAlchemy raise, as errors of ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg.exceptions import DataError, InterfaceError, InternalClientError, PostgresError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hephaestus.errors import HephaestusError, StorageUnavailable, TransactionConflict

NAME = "PostgresStorage"
UNIQUE_KEY = "_unique_key_idx"
"""What the name of the index ends with that keeps two unfinished runs from one key."""

_CONFLICTS = ("40001", "40P01")
_DISCONNECTED = (ConnectionError, OSError, InterfaceError, InternalClientError)
_CLASSES_OF_CONNECTION = ("08", "57P")


@contextmanager
def mapped(*but: type[Exception], repeatable: bool = False) -> Iterator[None]:
    """Let no foreign error of the database out of the block, but those that are foreseen.

    Args:
        but: What passes as it is.
        repeatable: Whether the transaction is one that somebody repeats as a whole.

    Raises:
        TransactionConflict: It is, and met a serialization failure or a deadlock.
        StorageUnavailable: Whatever else the database, the driver or the pool had to say: the
            statements are ours, so that none of it is the caller's doing.
    """
    foreseen: tuple[type[BaseException], ...] = (HephaestusError, asyncio.CancelledError, *but)
    try:
        yield
    except foreseen:
        raise
    except (SQLAlchemyError, PostgresError, *_DISCONNECTED, TimeoutError) as error:
        if repeatable and is_conflict(error):
            raise TransactionConflict(_sentence(error)) from cause(error)
        raise translated(error) from cause(error)


def translated(error: BaseException) -> StorageUnavailable:
    """Return our error for one of the database's."""
    return StorageUnavailable(NAME, _sentence(error))


def root(error: BaseException) -> BaseException:
    """Return what the driver raised: what is around it tells the values of the statement."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def cause(error: BaseException) -> BaseException:
    """Return what the driver raised, without the hundred lines of its way through the driver."""
    return root(error).with_traceback(None)


def is_conflict(error: BaseException) -> bool:
    """Tell whether the transaction has only to be repeated."""
    return _state(error) in _CONFLICTS


def is_taken(error: BaseException) -> bool:
    """Tell whether another unfinished run holds a key; the name of the index is ours."""
    name = getattr(root(error), "constraint_name", None)
    return isinstance(name, str) and name.endswith(UNIQUE_KEY)


def is_connection(error: BaseException) -> bool:
    """Tell whether the connection is lost or could not be had, so that another may do."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _is_lost(error.orig)
    return _is_lost(error)


def _is_lost(error: BaseException | None) -> bool:
    cause = error
    while cause is not None:
        if isinstance(cause, _DISCONNECTED):
            return True
        if isinstance(cause, PostgresError):
            return (_state(cause) or "").startswith(_CLASSES_OF_CONNECTION)
        cause = cause.__cause__
    return False


def _state(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of an error, however deep it is wrapped."""
    while error is not None:
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str):
            return state
        error = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return None


def _sentence(error: BaseException) -> str:
    """Return the first line of what went wrong; the statement and its values stay out of it."""
    told = root(error)
    if isinstance(error, PoolTimeout):
        return f"no connection came free in time: {error}"
    if isinstance(told, DataError):
        return type(told).__name__  # its words hold the value
    lines = str(told).strip().splitlines()
    return f"{type(told).__name__}: {lines[0]}" if lines else type(told).__name__
