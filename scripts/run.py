#!/usr/bin/env python3
"""The one door: the demo, the tests and the checks, from a fresh clone.

    python3 scripts/run.py demo [FILE]       watch orders flow through a workflow
    python3 scripts/run.py test [ARGS]       run the whole suite; arguments go to pytest
    python3 scripts/run.py check             format, lint, types, import contract, changelogs
    python3 scripts/run.py COMMAND [ARGS]    any other script or command of the environment

All it needs is Python 3.11 or newer with its standard venv. The first run puts pinned tools and
an environment into .cache/ of this checkout; to start over, delete that folder.
"""

# The syntax is old on purpose, annotations quoted: an old interpreter has to get as far as the
# sentence that says it is too old.

import ast
import contextlib
import difflib
import hashlib
import importlib.util
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
TOOLS = CACHE / "tools"
BIN = TOOLS / ("Scripts" if os.name == "nt" else "bin")
PINS = ROOT / "constraints.txt"
OLDEST = (3, 11)
DOCUMENTED = ("demo", "test", "check", "fix", "bench")

# uv does not read pip's configuration: pip's name of a setting, uv's, and what uv separates with.
PIP_TO_UV = (
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", " "),
    ("proxy", "ALL_PROXY", " "),
)
UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")


def main(argv: "list[str]") -> int:
    """Prepare what the command needs, then become it."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv else 2
    missing = missing_from(sys.version_info[:2], has_module("ensurepip") and has_module("venv"))
    if missing:
        print(missing, file=sys.stderr)
        return 1
    slip = slip_of(argv[0])
    if slip:
        print(slip, file=sys.stderr)
        return 2
    environ = private_environment(os.environ)
    name = argv[0].rpartition(":")[0] or "default"
    try:
        with one_at_a_time():
            prepare(name, environ)
        if name != "default" or argv[0].startswith(("+", "-")):
            # Hatch makes those of a matrix itself, when it gets to them; others use uv themselves.
            environ.update(uv_settings(environ))
    except subprocess.CalledProcessError as failure:
        print(f"this failed: {' '.join(failure.cmd)}", file=sys.stderr)
        return failure.returncode
    except OSError as failure:
        print(f"cannot prepare {CACHE}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run begins this stage anew", file=sys.stderr)
        return 130
    command = argv[:1] + [from_root(argument, Path.cwd()) for argument in argv[1:]]
    say(f"hatch run {' '.join(command)}")
    return become([str(BIN / "hatch"), "run", *command], environ)


def missing_from(version: "tuple[int, ...]", has_venv: bool) -> str:
    """Return what to install before anything can work, or nothing."""
    oldest = ".".join(map(str, OLDEST))
    if version < OLDEST:
        found = ".".join(map(str, version))
        return (
            f"Python {oldest} or newer is needed, and this one is {found}. "
            f"Install a newer one, then name it: python{oldest} scripts/run.py ..."
        )
    if not has_venv:
        return (
            "this Python has no venv with pip. On Debian and Ubuntu, as root: "
            "apt-get install --yes python3-venv\nElsewhere, install a Python that has its "
            "standard library whole (the modules venv and ensurepip)."
        )
    return ""


def slip_of(command: str) -> str:
    """Return what is asked of a command that is nearly a documented one, or nothing.

    It might exist all the same, as `tset` does on Unix, and do what nobody wanted.
    """
    alike = [word for word in DOCUMENTED if word[0] == command[:1]]
    near = difflib.get_close_matches(command, alike, n=1, cutoff=0.7)
    if command in DOCUMENTED or not near:
        return ""
    return f"there is no command {command!r}; did you mean {near[0]!r}?"


@contextlib.contextmanager
def one_at_a_time() -> "Iterator[None]":
    """Wait while another terminal prepares this checkout."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        if os.name != "nt":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def has_module(name: str) -> bool:
    """Return whether this interpreter has a module, without importing it."""
    return importlib.util.find_spec(name) is not None


def private_environment(environ: "os._Environ[str] | dict[str, str]") -> "dict[str, str]":
    """Return the variables with which the tools keep to the checkout, whatever the shell holds."""
    leaks = ("HATCH_ENV", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
    private = {name: value for name, value in environ.items() if name not in leaks}
    private.update(
        HATCH_CACHE_DIR=str(CACHE / "hatch" / "cache"),
        HATCH_CONFIG=str(CACHE / "hatch" / "config.toml"),
        HATCH_DATA_DIR=str(CACHE / "hatch"),
        HATCH_ENV_TYPE_VIRTUAL_UV_PATH=str(BIN / "uv"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    private.setdefault("PIP_CACHE_DIR", str(CACHE / "pip"))
    private.setdefault("UV_CACHE_DIR", str(CACHE / "uv"))
    return private


def prepare(name: str, environ: "dict[str, str]") -> None:
    """Install the tools and make the environment, unless they are there and nothing changed."""
    pins = PINS.read_text("utf-8")
    tools_stamp, tools_key = TOOLS / "stamp", fingerprint(pins)
    stamp, key = CACHE / "hatch" / "stamps" / name, fingerprint(pins, requirements())
    if not is_stamped(tools_stamp, tools_key):
        say("installing Hatch and uv into .cache/tools (once)")
        install_tools(environ)
        write_stamp(tools_stamp, tools_key)
    if not is_stamped(stamp, key):
        say(f"making the environment {name!r} in .cache/hatch (once, or when its pins change)")
        make_environment(name, environ)
        write_stamp(stamp, key)


def install_tools(environ: "dict[str, str]") -> None:
    """Make a virtual environment with the pinned Hatch and uv."""
    shutil.rmtree(TOOLS, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(TOOLS)], environ)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    run([*pip, "--constraint", str(PINS), "uv"], environ)
    uv = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(BIN / "python")]
    run([*uv, "--constraint", str(PINS), "hatch"], {**environ, **uv_settings(environ)})


def make_environment(name: str, environ: "dict[str, str]") -> None:
    """Make one of the environments of pyproject.toml anew."""
    config = Path(environ["HATCH_CONFIG"])
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch()
    settings = {**environ, **uv_settings(environ)}
    run([str(BIN / "hatch"), "--quiet", "env", "remove", name], settings)
    run([str(BIN / "hatch"), "--quiet", "env", "create", name], settings)


def uv_settings(environ: "dict[str, str]") -> "dict[str, str]":
    """Return where this machine's pip finds packages, in uv's words, unless uv was told itself."""
    listing = subprocess.run(
        [str(BIN / "python"), "-m", "pip", "config", "list"],
        env=environ, stdout=subprocess.PIPE, check=True, universal_newlines=True,
    ).stdout  # fmt: skip
    settings = {} if uv_is_configured(environ) else translate(pip_settings(listing))
    if has_certificates(ssl.get_default_verify_paths()):
        settings["UV_SYSTEM_CERTS"] = "true"
    return {name: value for name, value in settings.items() if name not in environ}


def pip_settings(listing: str) -> "dict[str, str]":
    """Read what `pip config list` prints; the environment wins over the files."""
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found = []
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in ranks:
            found.append((ranks[section], key, str(ast.literal_eval(value))))
    return {key: value for _, key, value in sorted(found)}


def translate(pip: "dict[str, str]") -> "dict[str, str]":
    """Say pip's settings in uv's variables."""
    known = [(key, name, separator) for key, name, separator in PIP_TO_UV if key in pip]
    uv = {name: separator.join(pip[key].split()) for key, name, separator in known}
    if "UV_INDEX" in uv:
        # pip's own rule: the newest of all indexes. uv would stop at the first that has the name.
        uv["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return uv


def uv_is_configured(environ: "dict[str, str]") -> bool:
    """Return whether uv has its own settings, which then stand."""
    home = Path(environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))
    files = [home / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    if os.name == "nt":
        files = [Path(environ[name], "uv", "uv.toml") for name in ("APPDATA", "PROGRAMDATA")]
    return any(name in environ for name in UV_INDEXES) or any(file.is_file() for file in files)


def has_certificates(paths: ssl.DefaultVerifyPaths) -> bool:
    """Return whether the system keeps certificates, which know a company's own authority too."""
    if os.name == "nt" or sys.platform == "darwin" or paths.cafile:
        return True
    return bool(paths.capath and os.listdir(paths.capath))


def requirements() -> str:
    """Return what the environments are made from; settings of the checks are no part of it."""
    import tomllib  # an old Python lacks it, and has been told so by now

    projects = [ROOT / "pyproject.toml", *sorted(ROOT.glob("packages/*/pyproject.toml"))]
    tables = [tomllib.loads(project.read_text("utf-8")) for project in projects]
    used = [(table.get("dependency-groups"), table.get("project")) for table in tables]
    return repr((used, tables[0]["tool"]["hatch"]))


def fingerprint(*parts: str) -> str:
    """Return a key that changes with the parts, the interpreter and the place of the checkout."""
    whole = [sys.version, sys.base_prefix, str(ROOT), *parts]
    return hashlib.sha256("\0".join(whole).encode("utf-8")).hexdigest()


def is_stamped(stamp: Path, key: str) -> bool:
    """Return whether a stage ended well with this key."""
    return stamp.is_file() and stamp.read_text("utf-8") == key


def write_stamp(stamp: Path, key: str) -> None:
    """Record that a stage ended well."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key, "utf-8")


def from_root(argument: str, here: Path) -> str:
    """Return a path that is named from here as one that the root of the checkout understands."""
    path, colons, rest = argument.partition("::")
    if here != ROOT and path and (here / path).exists():
        return f"{here / path}{colons}{rest}"
    return argument


def run(command: "list[str]", environ: "dict[str, str]") -> None:
    """Run one stage at the root of the checkout; its output goes to standard error."""
    subprocess.run(command, cwd=str(ROOT), env=environ, check=True, stdout=sys.stderr)


def become(command: "list[str]", environ: "dict[str, str]") -> int:
    """Replace this process by the command, at the root of the checkout."""
    os.chdir(str(ROOT))
    if os.name == "nt":
        return subprocess.call(command, env=environ)
    os.execve(command[0], command, environ)


def say(line: str) -> None:
    """Tell what happens next, apart from the command's own output."""
    print(f"[run] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
