"""Dramatiq runner for Hephaestus workflows; this release holds no runner yet."""

from hephaestus_dramatiq.__about__ import __version__

__all__ = ["__version__"]
