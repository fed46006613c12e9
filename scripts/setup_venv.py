"""Make a virtual environment, or bring it up to date with the requirement files; do nothing when it already is.

Called by the Makefile with a Python that fits; standard library only. What was installed is remembered in a stamp
inside the environment: the SHA-256 of every requirement file. A second file marks an installation under way: found at
the next start, it tells that the last one was interrupted, and the environment is built again from nothing.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
STAMP_NAME = ".installed.json"
OFFERED_NAME = ".offered.json"
UNDER_WAY_NAME = ".installing"
NEEDED_MB = {
    "requirements.txt": 300,
    "requirements-dev.txt": 600,
    "requirements-art.txt": 500,
    "requirements-cpu.txt": 900,
    "requirements-gpu.txt": 9000,
}  # with what pip keeps for itself meanwhile
OFFERS = {
    "requirements-art.txt": (
        "Easel can enlarge and restyle pictures with neural networks on this machine, without a server. "
        "The packages need 260 MB."
    )
}
LATER = "They can be added at any time: make run ART=1"
INDEX_WAIT_S = 15
HASH = "--hash="
PRINT_VERSION = "print('%d.%d' % sys.version_info[:2])"


class SetupError(Exception):
    """Set-up cannot go on; the text is the one line the user reads."""


def python_of(venv: Path) -> Path:
    """Name the interpreter of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(venv: Path, requirements: list[Path], *, base_python: str, exact: bool) -> None:
    """Leave `venv` usable with everything in `requirements` installed.

    Args:
        venv: the environment's folder; made when missing, made again when broken or half made.
        requirements: pinned requirement files.
        base_python: the interpreter that a new environment is built with.
        exact: rebuild an environment of another Python version than `base_python`; else any supported one is kept.
    """
    with _only_one_at_a_time():
        wanted = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in requirements}
        accepted = (version_of(base_python),) if exact else SUPPORTED
        is_usable = not (venv / UNDER_WAY_NAME).exists() and version_of(str(python_of(venv)), needing="pip") in accepted
        installed = _read_json(venv / STAMP_NAME) if is_usable else {}
        if wanted.items() <= installed.items():
            return
        need_space(venv, requirements)
        if not is_usable:
            _create(venv, base_python)
        need_index(str(python_of(venv)), requirements)
        _install(venv, requirements)
        _write_stamp(venv, installed | wanted)


def wants(venv: Path, offered: Path) -> bool:
    """Return whether packages that Easel runs without are there already, or somebody at the terminal wants them.

    It is asked for once; the answer is kept in `venv`.
    """
    if offered.name in _read_json(venv / STAMP_NAME):
        return True
    if offered.name in _read_json(venv / OFFERED_NAME) or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        answer = input(f"{OFFERS[offered.name]}\nInstall them now? [y/N] ").strip().lower()
    except EOFError:
        return False
    is_wanted = answer in {"y", "yes"}
    _write_json(venv / OFFERED_NAME, {offered.name: "yes" if is_wanted else "no"})
    if not is_wanted:
        print(LATER, flush=True)
    return is_wanted


def add(venv: Path, requirements: list[Path], *, base_python: str, exact: bool) -> None:
    """Install what Easel runs without too; a failure is told, and keeps nothing from starting."""
    try:
        ensure(venv, requirements, base_python=base_python, exact=exact)
    except SetupError as error:
        (venv / UNDER_WAY_NAME).unlink(missing_ok=True)  # what was there before is still whole
        print(f"{error} Easel starts without them. {LATER}", file=sys.stderr)


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Let a second `make` in the same folder wait, instead of installing into the same environment."""
    if os.name == "nt":
        yield
        return
    import fcntl  # not on Windows

    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def version_of(python: str, needing: str = "sys") -> str | None:
    """Ask an interpreter for its version, as 3.11; None when it does not start or lacks the module `needing`."""
    code = f"import sys, {needing}; {PRINT_VERSION}"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def need_space(venv: Path, requirements: list[Path]) -> None:
    """Refuse to begin what the disk has no room for: pip would stop in the middle, with a page of its own."""
    there = next(part for part in (venv.absolute(), *venv.absolute().parents) if part.exists())
    needed, free = sum(NEEDED_MB.get(path.name, 0) for path in requirements), shutil.disk_usage(there).free // 1024**2
    if free < needed:
        raise SetupError(f"The packages need {needed} MB, but the disk of {venv} has {free} MB left. Make room first.")


def need_index(python: str, requirements: list[Path]) -> None:
    """Ask for the first, small package, the way pip itself would: proxies, mirrors and folders of wheels count."""
    pinned = (line for path in requirements for line in path.read_text().splitlines())
    first = next((found[0] for line in pinned if (found := re.match(r"[\w.-]+==[\w.]+", line))), None)
    command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "0", "--timeout", str(INDEX_WAIT_S), str(first)]
    if first and subprocess.run(command, capture_output=True, text=True).returncode:
        raise SetupError(
            "The packages cannot be fetched: no package index answers. Check the network of this machine and pip's"
            " settings (pip config list), then run make again."
        )


def _create(venv: Path, base_python: str) -> None:
    version = version_of(base_python, needing="ensurepip")
    if version is None:
        plain = version_of(base_python)
        raise SetupError(
            f"Python {plain} here cannot make a virtual environment: the package python3-venv is missing."
            f" Run: sudo apt install python3-venv python{plain}-venv"
        )
    print(f"Making {venv} with Python {version} ...", flush=True)
    if venv.exists():
        shutil.rmtree(venv)
    venv.mkdir()
    (venv / UNDER_WAY_NAME).touch()
    done = subprocess.run([base_python, "-m", "venv", str(venv)], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise SetupError(f"{venv} could not be made: {reason[-1]}")


def _install(venv: Path, requirements: list[Path]) -> None:
    names = ", ".join(path.name for path in requirements)
    print(f"Installing {names} (about a minute the first time) ...", flush=True)
    (venv / UNDER_WAY_NAME).touch()
    command = [str(python_of(venv)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # with one hash pip wants one for everything it is given, and PyTorch comes from whichever index its owner chose
    hashed = [path for path in requirements if HASH in path.read_text()]
    for together in (hashed, [path for path in requirements if path not in hashed]):
        files = [part for path in together for part in ("-r", str(path))]
        if files and subprocess.run([*command, *files]).returncode:
            raise SetupError("The packages could not be installed: see pip's message above, then run make again.")


def _write_stamp(venv: Path, installed: dict[str, str]) -> None:
    _write_json(venv / STAMP_NAME, installed)
    (venv / UNDER_WAY_NAME).unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write_json(path: Path, values: dict[str, str]) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(values, indent=1))
    fresh.replace(path)


def main() -> int:
    """Read the command line, set up, and turn a failure into one line."""
    parser = argparse.ArgumentParser(description="Make or update a virtual environment.")
    parser.add_argument("venv", type=Path)
    parser.add_argument("requirements", type=Path, nargs="+")
    parser.add_argument("--exact", action="store_true", help="rebuild when the environment has another Python version")
    parser.add_argument("--offer", type=Path, help="requirements that are asked for once, where somebody can answer")
    options = parser.parse_args()
    try:
        ensure(options.venv, options.requirements, base_python=sys.executable, exact=options.exact)
        if options.offer and wants(options.venv, options.offer):
            add(options.venv, [*options.requirements, options.offer], base_python=sys.executable, exact=options.exact)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{options.venv} could not be set up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next make starts the set-up again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
