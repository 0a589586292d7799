"""An environment for each peer, in `.cache/bench`: their dependencies need not agree.

`python -m bench.environments` renews the pins.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.child import Failed

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).parent / "pins"
OURS = "hephaestus"
"""An environment with nothing in it but this project as its users install it."""

_PACKAGES = ("hephaestus-core", "hephaestus-postgres")
ENVIRONMENTS = ROOT / ".cache" / "bench" / "environments"


def names() -> list[str]:
    """Return the environments that there are pins for."""
    return sorted(path.stem for path in PINS.glob("*.in"))


def ours() -> Path:
    """Return the interpreter of an environment with this project alone, as it is now.

    Raises:
        Failed: It cannot be made.
    """
    packages = [ROOT / "packages" / name for name in _PACKAGES]
    sources = sorted(file for package in packages for file in package.rglob("src/**/*.py"))
    key = hashlib.sha256(b"\0".join(file.read_bytes() for file in sources)).hexdigest()
    constraint = ["--constraint", str(ROOT / "constraints.txt")]
    # What is built from a folder is kept by its version, which says nothing of its contents.
    anew = [word for name in _PACKAGES for word in ("--refresh-package", name)]
    return made(OURS, [*map(str, packages), *constraint, *anew], key=key)


@cache
def python_of(name: str | None) -> Path:
    """Return the interpreter of an environment, which is made if its pins changed.

    Raises:
        Failed: It cannot be made.
    """
    if name is None:
        return Path(sys.executable)
    if name == OURS:
        return ours()
    pins = PINS / f"{name}.txt"
    return made(name, ["--requirement", str(pins)], key=pins.read_text("utf-8"))


def made(name: str, requirements: list[str], *, key: str) -> Path:
    """Return the interpreter of an environment with some requirements, made anew for a new key.

    Raises:
        Failed: It cannot be made.
    """
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / "stamp"
    # Compiled at once: an import that is timed compiles nothing, whatever the shell forbids.
    install = ["pip", "install", "--quiet", "--compile-bytecode", *requirements]
    whole = "\0".join([sys.version, str(folder), *install, key])
    wanted = hashlib.sha256(whole.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
        _run([_uv(), *install, "--python", str(python)])
        stamp.write_text(wanted, "utf-8")
    return python


def renew() -> None:
    """Pin the newest versions that agree with each other."""
    for name in names():
        options = ["--universal", "--python-version", "3.11", "--upgrade", "--quiet"]
        told = ["--no-annotate", "--custom-compile-command", "python -m bench.environments"]
        files = [str(PINS / f"{name}.in"), "--output-file", str(PINS / f"{name}.txt")]
        _run([_uv(), "pip", "compile", *options, *told, *files])


def _uv() -> str:
    named = os.environ.get("HATCH_ENV_TYPE_VIRTUAL_UV_PATH") or os.environ.get("HATCH_UV")
    beside = shutil.which("uv", path=Path(sys.executable).parent)
    found = named or beside or shutil.which("uv")
    if found is None:
        raise Failed("uv is missing; start with: python3 scripts/run.py rivals:bench")
    return found


def _run(command: list[str]) -> None:
    # The pins of this project are none of a peer's.
    environ = {name: value for name, value in os.environ.items() if name != "UV_CONSTRAINT"}
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise Failed(f"{Path(command[0]).name} could not install it: {' '.join(lines[:3]).strip()}")


if __name__ == "__main__":
    renew()
