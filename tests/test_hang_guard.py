"""A test that not even its timeout ends must not hold the whole run."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests import hang_guard

HERE = Path(__file__).resolve().parents[1]

ENDLESS = """
import threading
import pytest
from tests import hang_guard

hang_guard.GRACE_S = 1.5

@pytest.fixture
def never_closed():
    yield
    threading.Event().wait()

@pytest.mark.timeout(0.1)
def test_waits_for_ever(never_closed):
    threading.Event().wait()
"""


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_test_without_an_end_is_named_with_its_stacks_and_ends_the_run(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text("from tests.hang_guard import *\n")
    (tmp_path / "test_endless.py").write_text(ENDLESS)
    command = [sys.executable, "-m", "pytest", "-n", processes, "-o", f"pythonpath={HERE}", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(tmp_path), str(tmp_path), "-p", "xdist.plugin", "-p", "pytest_timeout"]
    few = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}  # others take seconds to load
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, env=few)

    assert done.returncode != 0
    assert "test_waits_for_ever does not end, not even by its timeout" in done.stderr
    assert "never_closed" in done.stderr


def test_a_test_has_its_timeout_twice_and_a_minute(request: pytest.FixtureRequest) -> None:
    assert hang_guard.patience_for(request.node) == 2 * float(request.config.getini("timeout")) + 60


def test_what_one_folder_of_tests_asks_for_holds_nowhere_else(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("timeout") is None
    with pytest.raises(UserWarning, match="an error here"):
        warnings.warn("an error here", stacklevel=1)
