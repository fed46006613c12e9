"""The checks of the studio's code run where node and npm are, and are told of where they are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_studio import STAMP, why_not
from tests.test_tools import program

SCRIPT = Path(__file__).parents[1] / "scripts" / "check_studio.py"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a lock file, and a PATH on which node and npm start; npm notes what it is asked for."""
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "node", "exit 0")
    npm(tmp_path, "/bin/mkdir -p node_modules")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def npm(machine: Path, install: str) -> None:
    program(machine / "bin" / "npm", f'[ "$1" = --version ] && exit 0; echo "$1" >> {machine}/npm.log; {install}')


def asked(machine: Path) -> list[str]:
    return (machine / "npm.log").read_text().split()


def test_the_tools_are_brought_once_and_anew_when_the_lock_file_changes(machine: Path) -> None:
    assert (why_not(machine), why_not(machine)) == ("", "")
    assert asked(machine) == ["ci"]
    (machine / "package-lock.json").write_text('{"other": 1}')
    assert why_not(machine) == ""
    assert asked(machine) == ["ci", "ci"]


@pytest.mark.parametrize(("name", "package"), [("node", "nodejs"), ("npm", "npm")])
def test_what_is_missing_is_named_with_its_package(machine: Path, name: str, package: str) -> None:
    (machine / "bin" / name).unlink()
    assert why_not(machine) == f"{name} does not start here: apt-get install {package}"


def test_tools_that_cannot_be_brought_are_told_of_and_tried_again(machine: Path) -> None:
    npm(machine, "echo 'npm error network' >&2; exit 1")
    assert "npm error network" in why_not(machine)
    assert not (machine / STAMP).exists()
    npm(machine, "/bin/mkdir -p node_modules")
    assert why_not(machine) == ""


@pytest.mark.parametrize(("setting", "code"), [({}, 0), ({"STUDIO_CHECKS": "required"}, 1)])
def test_without_node_one_line_says_so_and_only_ci_fails(tmp_path: Path, setting: dict[str, str], code: int) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "STUDIO_CHECKS"}
    environ |= {"PATH": str(tmp_path)} | setting
    done = subprocess.run([sys.executable, str(SCRIPT)], env=environ, capture_output=True, text=True, timeout=50)
    (line,) = (done.stdout + done.stderr).splitlines()
    assert "not checked: node does not start here: apt-get install nodejs" in line
    assert done.returncode == code
