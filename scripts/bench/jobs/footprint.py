"""What an application takes on with a library: time, disk and memory."""

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.contract import Aim, Figures, Job, Setting

IMPORT = "import, ms"
INSTALLED = "installed, MB"
MEMORY = "idle app, MB"
_PEERS = ("dbos", "temporalio", "prefect")
_TIMED = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


async def footprint(programs: Mapping[str, str], setting: Setting) -> Figures:
    """Import the modules in fresh processes, and run the program of an idle app.

    Args:
        programs: What `import` is given, and the module of the app.
        setting: Where its database is.
    """
    imported = programs["import"]
    times = [float(_run("-c", _TIMED.format(imported))) for _ in range(1 + int(setting.size))]
    return {
        # The first compiles what was just installed.
        IMPORT: median(times[1:]) * 1e3,
        INSTALLED: _installed(Path(sysconfig.get_path("purelib"))) / 1e6,
        MEMORY: float(_run("-m", programs["app"], setting.postgres)),
    }


def _run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.splitlines()[-1]


def _installed(folder: Path) -> int:
    """Return the bytes of all files but those that Python compiles by itself."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return sum(file.stat().st_size for file in files)


FOOTPRINT = Job(
    name="footprint",
    title="Import time, install size, and memory of an idle app on PostgreSQL",
    compared=MEMORY,
    size=5,
    quick_size=None,
    unit="imports",
    measure=footprint,
    needs=frozenset({"postgres"}),
    aims=tuple(
        Aim(text="least of all", figure=figure, against=_PEERS, at_most=1)
        for figure in (IMPORT, INSTALLED, MEMORY)
    ),
)

JOBS = (FOOTPRINT,)
