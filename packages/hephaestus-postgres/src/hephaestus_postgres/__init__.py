"""PostgreSQL storage for Hephaestus workflows; this release holds no storage yet."""

from hephaestus_postgres.__about__ import __version__

__all__ = ["__version__"]
