"""Build every package into dist/, examine what was built, install each one alone, and try it.

    hatch run package:check

A wheel is built from its sdist, so that the sdist is known to be whole. Each wheel then goes into
an environment of its own, which takes its siblings from dist/ and the rest from where pip does.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from releases import ROOT, Package, packages

DIST = ROOT / "dist"
SMOKE = Path(__file__).with_name("smoke.py")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]

# Extras that must install and import as well: all that is the core's own, and all the siblings.
WITH_EXTRAS = {"hephaestus-core": ("cli,otel,testing", "dramatiq,postgres,redis")}


def main() -> int:
    """Build, examine and try every package; stop at the first that fails."""
    shutil.rmtree(DIST, ignore_errors=True)
    try:
        for each in packages():
            build(each)
        examine()
        for each in packages():
            for extras in ("", *WITH_EXTRAS.get(each.name, ())):
                install_and_try(each, extras)
    except subprocess.CalledProcessError as failure:
        print(f"this failed: {' '.join(failure.cmd)}", file=sys.stderr)
        return 1
    return 0


def build(package: Package) -> None:
    """Build the sdist, and the wheel from the sdist."""
    print(f"build {package.name} {package.version}", flush=True)
    folder = DIST / package.name
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=package.folder)
    (sdist,) = folder.glob("*.tar.gz")
    # Without the cache: pip would hand out the wheel of an earlier sdist that bore the same name.
    options = ["--no-cache-dir", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}"]
    run(*PIP, "wheel", *options, sdist)


def examine() -> None:
    """Check the metadata, the readme and the contents of everything that was built."""
    print("examine what was built", flush=True)
    built = sorted(DIST.glob("*/*"))
    run(sys.executable, "-m", "twine", "check", "--strict", *built)
    wheels = [file for file in built if file.suffix == ".whl"]
    run(sys.executable, "-m", "check_wheel_contents", *wheels)


def install_and_try(package: Package, extras: str) -> None:
    """Install one package, with extras or alone, in a clean environment, and smoke-test it."""
    name = f"{package.name}[{extras}]" if extras else package.name
    print(f"install and try {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, symlinks=sys.platform != "win32")
        python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
        siblings = Path(folder, "siblings.txt")
        siblings.write_text(built_here(), "utf-8")
        run(*PIP, "--python", python, "install", "--constraint", siblings, name)
        run(*PIP, "--python", python, "check")
        run(python, "-I", SMOKE, package.name, package.module, package.version, extras, cwd=folder)


def built_here() -> str:
    """Return constraints that hold each package to its wheel in dist/, whatever an index offers."""
    wheels = {wheel.parent.name: wheel for wheel in sorted(DIST.glob("*/*.whl"))}
    return "".join(f"{name} @ {wheel.as_uri()}\n" for name, wheel in wheels.items())


def run(*command: str | Path, cwd: str | Path = ROOT) -> None:
    """Run one command and insist that it succeeds."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


if __name__ == "__main__":
    sys.exit(main())
