"""Set up the suite: how hard hypothesis tries, how many processes there are, and what they begin with."""

import gc
import logging
import os
from collections import Counter
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from backends.art.work import networks
from tests import answering_wire

pytest_plugins = ["tests.hang_guard"]

# HYPOTHESIS_PROFILE=thorough tries for as long as it takes
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

answering_wire.install()


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: while one waits for a browser or a child, another works."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand out so many tests in less time than pytest-xdist takes for it."""
    from tests.sharing_out import scheduler_of  # only here: the hook is called only where pytest-xdist is there

    return scheduler_of(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let a process of pytest-xdist that runs tests speak of what matters."""
    if hasattr(session.config, "workerinput"):
        from tests.sharing_out import say_less  # only here: as above

        say_less(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave out what a process would tell the others of every test that passed: all names that lead to it."""
    report = yield
    if report.passed:
        report.keywords = {}
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what must stay together, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector all that is imported and collected: it lives as long as the process, or nearly."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report why tests were skipped, each reason once."""
    skips = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skips)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"SKIPPED [{count}] {reason}")


@pytest.fixture(scope="session", autouse=True)
def without_the_networks() -> Iterator[None]:
    """Test Easel as it is without the extra packages; `tests/backends/art` has a fixture that brings them back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "RUNTIMES", ("hidden_from_tests",))
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what a start of Easel inside of the test did to everybody's logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
