"""scripts/get_node brings what checks the studio's code where it does not start, and nothing where it does."""

import subprocess
from pathlib import Path

from tests.test_tools import program

SCRIPT = Path(__file__).parents[1] / "scripts" / "get_node"
TOOLS = ("sh", "id", "timeout")


def packages_brought(machine: Path, *programs: str) -> list[str]:
    """Run the script where these programs start; return what it asked apt-get for."""
    log = machine / "apt.log"
    for name in TOOLS:
        (machine / name).symlink_to(f"/usr/bin/{name}")
    for name in programs:
        program(machine / name, "exit 0")
    program(machine / "sudo", 'shift; exec "$@"')
    program(machine / "apt-get", f'for last; do :; done; echo "$last" >> {log}')
    done = subprocess.run(["sh", str(SCRIPT)], env={"PATH": str(machine)}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return log.read_text().split() if log.exists() else []


def test_nothing_is_installed_where_both_start(tmp_path: Path) -> None:
    assert packages_brought(tmp_path, "node", "npm") == []


def test_what_does_not_start_is_installed(tmp_path: Path) -> None:
    assert packages_brought(tmp_path, "node") == ["npm"]


def test_both_are_installed_on_a_bare_machine(tmp_path: Path) -> None:
    assert packages_brought(tmp_path) == ["nodejs", "npm"]
