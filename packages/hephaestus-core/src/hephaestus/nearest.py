"""The right name that is closest to a wrong one, for error messages."""

from collections.abc import Collection, Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None if none is like it."""
    from difflib import get_close_matches  # late: only a mistake needs it

    return next(iter(get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean '…'?`, or nothing if no known name is like `name`."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""


def no_option(owner: str, name: str, options: Collection[str]) -> str:
    """Return the sentence for an option that does not exist."""
    known = ", ".join(options)
    return f"{owner} has no option {name!r}{did_you_mean(name, options)} (options: {known})"
