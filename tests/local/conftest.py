"""Tests of the engine inside with the real libraries; `make test-local` runs them in an environment that has those."""

import importlib.util
import os

import pytest

WANTED = os.environ.get("EASEL_TEST_LOCAL") == "1"
IS_THERE = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("diffusers") is not None
collect_ignore = (
    []
    if WANTED and IS_THERE
    else ["tiny.py", "more_tiny.py", "test_child.py", "test_drawing.py", "test_more_drawing.py"]
)


def pytest_configure():
    if WANTED and not IS_THERE:
        raise pytest.UsageError("torch and diffusers are not installed: make test-local")


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))  # what libraries warn of is theirs
        item.add_marker(pytest.mark.timeout(300))
