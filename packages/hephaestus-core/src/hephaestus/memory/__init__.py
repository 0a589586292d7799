"""The storage that keeps everything in this process; nothing of it survives the process."""

from hephaestus.memory.storage import MemoryStorage

__all__ = ["MemoryStorage"]
