"""End a run in which a test ends neither by itself nor by its timeout.

pytest-timeout raises once, in the main thread; a thread that never returns, or a loop that waits for it when it closes,
would then hold the whole run for ever and say nothing.
"""

import faulthandler
import os
import signal
import threading
from collections.abc import Generator

import pytest

GRACE_S = 60.0

stderr_fd = 2


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
    timer = threading.Timer(patience_for(item), end_run, [item])
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()
