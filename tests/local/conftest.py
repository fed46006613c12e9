"""Tests of the engine inside with the real libraries; `make test-local` runs them in an environment that has those."""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WANTED = os.environ.get("EASEL_TEST_LOCAL") == "1"


def is_there(*names):
    return all(importlib.util.find_spec(name) is not None for name in names)


IS_THERE = is_there("torch", "diffusers")
OF_OPENVINO = {"__init__.py", "conftest.py", "maker_contract.py", "openvino_data.py", "orders.py", "test_openvino.py"}
OF_TORCH = [path.name for path in HERE.glob("*.py") if path.name not in OF_OPENVINO]
collect_ignore = [] if WANTED and IS_THERE else OF_TORCH
if not WANTED or not is_there("openvino_genai", "numpy"):
    collect_ignore.append("test_openvino.py")


def pytest_configure():
    if WANTED and not IS_THERE:
        raise pytest.UsageError("torch and diffusers are not installed: make test-local")


def pytest_collection_modifyitems(items):
    for item in items:  # of the whole run
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))  # what libraries warn of is theirs
            item.add_marker(pytest.mark.timeout(900))
