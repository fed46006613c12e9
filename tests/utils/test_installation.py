"""A broken import is one sentence, on any Python and with any package missing, damaged or not allowed to run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from console.doctor import PYTHONS
from scripts.setup_venv import SUPPORTED
from tests import tools
from utils.installation import explain

ROOT = Path(__file__).parents[2]
OLD = ("3.6", "3.7", "3.8", "3.9", "3.10")
MAIN_NAMES = "3.11, 3.12, 3.13 or 3.14"


def python(version: str) -> str:
    """Return an interpreter of that version which starts; without one the test is skipped."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for path in (*sorted(pyenv.glob(f"{version}.*/bin/python{version}")), f"python{version}"):
        if not tools.fault(str(path), "--version"):
            return str(path)
    pytest.skip(f"no Python {version} on this machine: any of pyenv's, or a Debian package, would do")


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("argv", [(), ("doctor",)], ids=["start", "doctor"])
def test_an_old_python_is_one_sentence(version: str, argv: tuple[str, ...], tmp_path: Path) -> None:
    done = start(python(version), *argv, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"Easel needs Python {MAIN_NAMES}, but this is Python {version}.\n"
    assert list(tmp_path.iterdir()) == []


def start(python: str, *argv: str, folder: Path, paths: str = "") -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "WEB": "false", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, str(ROOT / "main.py"), *argv]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=50, stdin=subprocess.DEVNULL
    )


def test_every_place_names_the_same_pythons() -> None:
    assert ", ".join(SUPPORTED[:-1]) + f" or {SUPPORTED[-1]}" == MAIN_NAMES
    assert [f"{major}.{minor}" for major, minor in PYTHONS] == [SUPPORTED[0], SUPPORTED[-1]]
    for name in ("README.md", "CONTRIBUTING.md", "scripts/find_python", "main.py"):
        assert MAIN_NAMES in (ROOT / name).read_text("utf-8"), name
    first, last = SUPPORTED[0], int(SUPPORTED[-1].split(".")[1])
    assert f'requires-python = ">={first},<3.{last + 1}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_without_packages_it_says_how_to_get_them(tmp_path: Path) -> None:
    bare = sys.executable
    done = subprocess.run([bare, "-S", str(ROOT / "main.py")], cwd=tmp_path, capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.fullmatch(r"The package \w+ is missing\. .*pip install -r requirements\.txt.*\n", done.stderr), (
        done.stderr
    )


@pytest.mark.parametrize(
    ("package", "module", "content", "reply"),
    [
        ("pydantic", "__init__.py", b"def broken(:\n", "The package pydantic is damaged"),
        ("pydantic", "__init__.py", b"x = 1\n", "The package pydantic is damaged"),
        ("dotenv", "__init__.py", b"from dotenv.gone import x\n", "The package dotenv is damaged (dotenv.gone"),
        ("pydantic", "__init__.py", b"raise SystemError('incompatible core')\n", "The package pydantic is damaged"),
        ("fastapi", "__init__.py", b"import not_there_at_all\n", "The package not_there_at_all is missing"),
    ],
    ids=["syntax", "names", "half", "mixed", "dependency"],
)
def test_a_damaged_package_is_one_sentence(
    package: str, module: str, content: bytes, reply: str, tmp_path: Path
) -> None:
    folder = tmp_path / "site-packages"
    (folder / package).mkdir(parents=True)
    (folder / package / module).write_bytes(content)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PROBE_LOCAL_PORTS": "false", "PORT": "0"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py")], cwd=tmp_path, env=environ, capture_output=True, text=True,
        timeout=50, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith(reply)
    assert str(tmp_path) not in sentence


SO = "/srv/easel/.venv/lib/python3.11/site-packages/_cffi_backend.cpython-311-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        (f"{SO}: failed to map segment from shared object", "mounted with noexec"),
        (f"{SO}: invalid ELF header", "is damaged, or made for another Python or machine (invalid ELF header)"),
        (f"{SO}: file too short", "(file too short)"),
        (f"{SO}: undefined symbol: PyThing", "(undefined symbol: PyThing)"),
        ("libffi.so.8: cannot open shared object file: No such file or directory", "needs the library libffi.so.8"),
        ("DLL load failed while importing _cffi_backend: %1 is not a valid Win32 application.", "DLL load failed"),
    ],
)
def test_what_the_loader_refuses_is_said_without_paths(reason: str, reply: str) -> None:
    sentence = explain(ImportError(reason, name="_cffi_backend", path=SO))
    assert reply in sentence
    assert sentence.startswith("The package _cffi_backend ")
    assert "/srv" not in sentence


def test_a_missing_part_of_python_or_of_easel_is_named() -> None:
    assert "built without sqlite3" in explain(ModuleNotFoundError("x", name="sqlite3"))
    assert explain(ModuleNotFoundError("x", name="services.gone")) == (
        "Easel's own file services/gone.py is missing. Get Easel again."
    )


def test_a_fault_of_easel_keeps_its_traceback() -> None:
    assert explain(ValueError("a fault")) == ""
