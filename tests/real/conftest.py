"""Tests against real programs from the package registry: only through `make test-real`, never in `make test`."""

import os

collect_ignore_glob = [] if os.environ.get("EASEL_TEST_REAL") else ["test_*.py"]
