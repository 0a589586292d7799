"""The URL of a database, as people write it."""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hephaestus.errors import InvalidArgument

_DRIVER = "postgresql+asyncpg"
_SECRET = re.compile(r"(?<=://).*(?=@)|(?<=password=)[^&\s'\"]*", re.DOTALL)


def database_url(given: str | URL) -> URL:
    """Return the URL with the name of the driver, which may be left out.

    Raises:
        InvalidArgument: It is not a URL of PostgreSQL. The sentence repeats nothing of it, as it
            may hold a password.
    """
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise _refusal() from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=_DRIVER)
    # Where a password holds an @ as it is, its end is taken for a part of the host.
    if url.drivername != _DRIVER or "@" in (url.host or ""):
        raise _refusal()
    return url


def without_secrets(content: str) -> str:
    """Return the text, with what may be a password in it replaced."""
    return _SECRET.sub("***", content)


def _refusal() -> InvalidArgument:
    return InvalidArgument(
        f"the address of the database is a URL as {_DRIVER}://user:password@host:5432/database, "
        f"with the special characters of the password percent-encoded"
    )
