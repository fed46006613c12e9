"""Pictures that were drawn a moment ago: what is asked for again, seed and all, comes from memory."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from backends.child import ChildAnswer

MOST_BYTES: Final = 32 * 2**20
KEPT_S: Final = 600.0
FILES: Final = ("path", "file", "drawer", "finder")  # names of values that are places of weights


class RecentAnswers:
    """Answers of the child by the whole of an order; they are forgotten after a while, and the oldest first.

    Args:
        most_bytes: of all their pictures together.
        clock: seconds.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, ChildAnswer]] = OrderedDict()

    def key(self, order: Mapping[str, Any], blobs: Sequence[bytes]) -> str:
        """Return what stands for an order, with the pictures that it has and the state of the files that it names."""
        digest = hashlib.sha256(json.dumps([order, [*_states(order)]], sort_keys=True).encode())
        for blob in blobs:
            digest.update(hashlib.sha256(blob).digest())
        return digest.hexdigest()

    def find(self, key: str) -> ChildAnswer | None:
        self._forget()
        return self._kept[key][1] if key in self._kept else None

    def keep(self, key: str, answer: ChildAnswer) -> None:
        self._kept[key] = (self._clock(), answer)
        self._forget()

    def _forget(self) -> None:
        size = sum(_size(answer) for __, answer in self._kept.values())
        for key, (since, answer) in [*self._kept.items()]:
            if size <= self._most_bytes and since > self._clock() - KEPT_S:
                return
            del self._kept[key]
            size -= _size(answer)


def _size(answer: ChildAnswer) -> int:
    return sum(map(len, answer.blobs))


def _states(value: Any) -> Iterator[tuple[int, int]]:
    """Yield the times and sizes of the files that an order names. Blocks."""
    if isinstance(value, list):
        for item in value:
            yield from _states(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name in FILES and item and (path := Path(item)).exists():
                facts = path.stat()
                yield facts.st_mtime_ns, facts.st_size
            yield from _states(item)
