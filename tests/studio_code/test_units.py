"""Runs the unit tests of the studio's code with `node --test`, file by file."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from api.form import form_fields
from tests import tools

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.js"))
RUN_S = 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_units_of_the_studio(path: Path) -> None:
    if fault := tools.fault("node", "--version"):
        pytest.skip(f"the studio's units are not tested: {fault}")
    command = ["node", "--test", "--test-reporter=tap", str(path)]
    # in another zone than UTC, days would be told apart from those that the tests name
    environ = os.environ | {"TZ": "UTC", "NO_COLOR": "1", "FIELDS": json.dumps(form_fields())}
    done = subprocess.run(command, cwd=HERE, env=environ, capture_output=True, text=True, timeout=RUN_S)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.search(r"^# tests (\d+)$", done.stdout, re.MULTILINE)
    assert ran
    assert int(ran[1]) > 0


def test_there_are_units_to_run() -> None:
    assert len(FILES) > 5
