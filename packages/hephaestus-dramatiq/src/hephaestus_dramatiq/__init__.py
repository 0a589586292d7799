"""Dramatiq runner for Hephaestus workflows: steps as messages over RabbitMQ or Redis."""

from hephaestus_dramatiq.__about__ import __version__
from hephaestus_dramatiq.failures import UnreadableMessage
from hephaestus_dramatiq.middleware import HephaestusMiddleware
from hephaestus_dramatiq.routes import Route
from hephaestus_dramatiq.runner import DramatiqRunner

__all__ = ["DramatiqRunner", "HephaestusMiddleware", "Route", "UnreadableMessage", "__version__"]
