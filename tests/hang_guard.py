"""End a run in which a test ends neither by itself nor by its timeout.

pytest-timeout raises once, in the main thread; a thread that never returns, or a loop that waits for it when it closes,
would then hold the whole run for ever and say nothing.
"""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Generator

import pytest

GRACE_S = 60.0
LOOK_S = 1.0

stderr_fd = 2
watched: list[tuple[pytest.Item | None, float]] = []  # the test of the moment, and until when it may take


def pytest_configure() -> None:
    """Keep the real standard error: during a test that descriptor is captured."""
    global stderr_fd
    stderr_fd = os.dup(2)


def patience_for(item: pytest.Item) -> float:
    """Return the seconds that a test and a second go of it may take."""
    marker = item.get_closest_marker("timeout")
    own = marker.args[0] if marker and marker.args else item.config.getini("timeout")
    return 2 * float(own or 0) + GRACE_S


def end_run(item: pytest.Item) -> None:
    """Print every thread's stack, stop the process that hands out the tests, and end this one."""
    os.write(stderr_fd, f"\n{item.nodeid} does not end, not even by its timeout. The run ends here.\n".encode())
    faulthandler.dump_traceback(file=stderr_fd, all_threads=True)
    if hasattr(item.config, "workerinput"):
        os.kill(os.getppid(), signal.SIGINT)
    os._exit(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not watched:
        threading.Thread(target=watch, daemon=True).start()
    watched[:] = [(item, time.monotonic() + patience_for(item))]
    try:
        return (yield)
    finally:
        watched[:] = [(None, 0.0)]


def watch() -> None:
    """Look once a second whether the test of the moment is over its time: a timer for each would cost more."""
    while True:
        time.sleep(LOOK_S)
        item, until = watched[0]
        if item is not None and time.monotonic() > until:
            end_run(item)
