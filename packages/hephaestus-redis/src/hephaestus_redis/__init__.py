"""Redis storage for Hephaestus workflows."""

from hephaestus_redis.__about__ import __version__
from hephaestus_redis.storage import RedisStorage

__all__ = ["RedisStorage", "__version__"]
