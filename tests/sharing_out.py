"""The scheduler of `--dist loadgroup`, in a time that does not grow with how many tests are done.

pytest-xdist counts what a process has left among everything that it was ever given, after each test, and looks a test
up in the list of all: with 14,000 tests that takes as long as thousands of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling


class _Places(list[str]):
    """A list that knows where each of its items is."""

    def __init__(self, items: Sequence[str]) -> None:
        super().__init__(items)
        self._places = {item: place for place, item in enumerate(items)}

    def index(self, item: str, *_: Any) -> int:
        return self._places[item]


class SharingOut(LoadGroupScheduling):
    """Forgets what is done."""

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = _Places(collection)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        nodeid = self.registered_collections[node][item_index]
        scope = self._split_scope(nodeid)
        unit = self.assigned_work[node][scope]
        unit[nodeid] = True
        if all(unit.values()):
            del self.assigned_work[node][scope]
        self._reschedule(node)


def scheduler_of(config: pytest.Config, log: Any) -> SharingOut | None:
    """Return it where tests are handed out so; `None`: as pytest-xdist does otherwise."""
    return SharingOut(config, log) if config.getvalue("dist") == "loadgroup" else None


def say_less(config: pytest.Config) -> None:
    """Send only what makes a difference to the process that hands out the tests: of six messages of each, two."""
    if config.getoption("durations", None) is not None or config.getoption("xmlpath", None):
        return  # they need all
    for plugin in config.pluginmanager.get_plugins():
        if type(plugin).__name__ == "WorkerInteractor":
            plugin.sendevent = _only_news(plugin.sendevent)


def _only_news(send: Callable[..., None]) -> Callable[..., None]:
    def sent(name: str, **values: Any) -> None:
        report = values.get("data") if name == "testreport" else None
        is_beside_the_test = report and report["when"] != "call" and report["outcome"] == "passed"
        if name not in ("logstart", "logfinish") and not is_beside_the_test:
            send(name, **values)

    return sent
