"""scripts/get_chromium brings what the studio's tests need: a Chromium that starts, and the driver's libraries."""

import subprocess
from pathlib import Path

import pytest

from tests.test_tools import program

SCRIPT = Path(__file__).parents[1] / "scripts" / "get_chromium"
TOOLS = ("sh", "id", "timeout", "sed", "tr", "sort")
NODE = "lib/python3.13/site-packages/playwright/driver/node"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with the plainest tools, an apt-get that notes what it is asked for, and a driver in `.venv`."""
    for name in TOOLS:
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    program(tmp_path / "bin" / "sudo", 'shift; exec "$@"')
    node = tmp_path / ".venv" / NODE
    node.parent.mkdir(parents=True)
    program(node, "exit 0")
    program(tmp_path / "bin" / "ldd", "echo 'libc.so.6 => /lib/libc.so.6 (0x0)'")
    return tmp_path


def run(machine: Path) -> tuple[str, list[str]]:
    """Run the script; return what it said and the packages that were installed."""
    log = machine / "apt.log"
    program(machine / "bin" / "apt-get", f'for last; do :; done; echo "$last" >> {log}; {APT.get(machine, "exit 0")}')
    environ = {"PATH": str(machine / "bin")}
    done = subprocess.run(["sh", str(SCRIPT)], cwd=machine, env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, log.read_text().split() if log.exists() else []


APT: dict[Path, str] = {}  # what else the machine's apt-get does


def chromium(machine: Path, script: str) -> None:
    program(machine / "bin" / "chromium-headless-shell", script)


def test_nothing_is_installed_where_all_starts(machine: Path) -> None:
    chromium(machine, "exit 0")
    assert run(machine) == ("", [])


def test_a_missing_chromium_is_installed(machine: Path) -> None:
    path = machine / "bin" / "chromium-headless-shell"
    APT[machine] = f"printf '#!/bin/sh\\n' > {path}; /bin/chmod 755 {path}"
    reply, packages = run(machine)
    assert packages == ["chromium-headless-shell"]
    assert "WARNING" not in reply


def test_one_that_is_there_but_does_not_start_is_installed(machine: Path) -> None:
    chromium(machine, "exit 127")
    reply, packages = run(machine)
    assert packages[0] == "chromium-headless-shell"
    assert "WARNING: " in reply


def test_the_libraries_that_the_driver_misses_are_installed(machine: Path) -> None:
    chromium(machine, "exit 0")
    missing = "echo '\tlibatomic.so.1 => not found'; echo '\tlibfoo2.so.3 => not found'; echo 'libc.so.6 => /lib (0x0)'"
    program(machine / "bin" / "ldd", missing)
    _, packages = run(machine)
    assert packages == ["libatomic1", "libfoo2-3"]


def test_a_driver_that_does_not_start_after_all_is_said(machine: Path) -> None:
    chromium(machine, "exit 0")
    program(machine / ".venv" / NODE, "exit 127")
    reply, _ = run(machine)
    assert "ALL BROWSER TESTS OF THE STUDIO WILL BE SKIPPED" in reply
