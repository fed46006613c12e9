"""What every module of these tests is marked with: one event loop, and one process, so that there is one browser."""

import pytest

ONE_LOOP = pytest.mark.asyncio(loop_scope="package")
STUDIO = [ONE_LOOP, pytest.mark.xdist_group("studio")]
