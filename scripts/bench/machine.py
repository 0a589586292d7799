"""What the figures were measured on."""

import os
import platform
import subprocess
import sys
from pathlib import Path


def describe() -> dict[str, str]:
    """Return the processor, the system and the interpreter, each in a few words."""
    cores = os.cpu_count()
    return {
        "processor": f"{_processor()}, {cores} core{'' if cores == 1 else 's'}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def megabytes() -> float:
    """Return how much memory this process holds."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def commit() -> str:
    """Return which commit of this project is measured, where git knows."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(git, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
