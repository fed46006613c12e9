"""Marks of every module of these tests: one event loop, and a process for each file of tests."""

import pytest

ONE_LOOP = pytest.mark.asyncio(loop_scope="package")


def studio_tests(module: str) -> list[pytest.MarkDecorator]:
    """Return the marks for a module of them: its tests share a browser and an Easel."""
    return [ONE_LOOP, pytest.mark.xdist_group(module)]
