"""Tools of the machine are tried before tests use them: a skip says which Debian package is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tools

ROOT = Path(__file__).parents[1]
NO_LIBATOMIC = (
    "echo 'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file:"
    " No such file or directory' >&2; exit 127"
)


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_program_that_starts_has_no_fault(tmp_path: Path) -> None:
    assert tools.fault(str(program(tmp_path / "fine", "exit 0"))) == ""


def test_one_that_is_missing_names_its_package() -> None:
    assert tools.fault("no-such-tool") == "no-such-tool is not here: apt-get install no-such-tool"
    assert tools.fault("no-such-tool", package="other") == "no-such-tool is not here: apt-get install other"


def test_one_that_lacks_a_library_names_the_librarys_package(tmp_path: Path) -> None:
    broken = program(tmp_path / "node", NO_LIBATOMIC)
    assert tools.fault(str(broken)) == "node does not start without libatomic.so: apt-get install libatomic1"


def test_one_that_cannot_be_run_or_ends_badly_says_why(tmp_path: Path) -> None:
    damaged = program(tmp_path / "chromium", "echo 'this needs the snap' >&2; exit 1")
    assert "this needs the snap" in tools.fault(str(damaged))
    (tmp_path / "text").write_text("not a program")
    assert "text does not start (Permission denied)" in tools.fault(str(tmp_path / "text"))


@pytest.mark.parametrize(
    ("library", "number", "package"),
    [("libatomic", "1", "libatomic1"), ("libstdc++", "6", "libstdc++6"), ("libnss3", "", "libnss3"),
     ("libatk-1.0", "0", "libatk-1.0-0"), ("libX11", "6", "libx11-6")],
)  # fmt: skip
def test_libraries_and_their_packages(library: str, number: str, package: str) -> None:
    assert tools.package_of(library, number) == package


def test_the_studios_tests_are_skipped_in_words_where_the_driver_does_not_start(tmp_path: Path) -> None:
    environ = os.environ | {"PLAYWRIGHT_NODEJS_PATH": str(program(tmp_path / "node", NO_LIBATOMIC))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/studio/test_start.py"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout
    assert (
        "SKIPPED [1] the studio is not tested: Playwright's driver does not start without libatomic.so" in done.stdout
    )
    assert "apt-get install libatomic1\n" in done.stdout
    assert "1 skipped" in done.stdout
