"""The other end of `backends/child.py`: takes orders from stdin, carries them out one by one, answers on stdout.

It imports nothing of Easel, so that what it carries out decides what the process loads.
"""

import contextlib
import json
import os
import queue
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Final, TypeAlias

NICENESS: Final = 5  # whoever waits for an answer of Easel goes before whoever waits for a picture

Blobs: TypeAlias = tuple[bytes, ...]
Orders: TypeAlias = queue.SimpleQueue[tuple[dict[str, Any], Blobs]]


class OrderRefused(Exception):
    """An order that cannot be carried out, in a sentence for people; `field` is what of it is wrong."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class OrderStopped(Exception):
    """The order was taken back."""


class Reporter:
    """The order of a piece of work: where to report to, and whether to stop."""

    def __init__(self, out: BinaryIO, stop: threading.Event) -> None:
        self._out = out
        self._stop = stop

    def report(self, **values: Any) -> None:
        """Report how the work stands.

        Raises:
            OrderStopped: nobody waits for it any more.
        """
        if self._stop.is_set():
            raise OrderStopped
        _write(self._out, values)


Work: TypeAlias = Callable[[Mapping[str, Any], Blobs, Reporter], tuple[Mapping[str, Any], Sequence[bytes]]]


def serve(work: Work) -> None:
    """Carry out orders with `work` until the parent is gone or closes the pipe; never returns."""
    source, out = _own_streams()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    orders: Orders = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_read_orders, args=(source, orders, stop), daemon=True).start()
    while True:
        order, blobs = orders.get()
        try:
            values, made = work(order, blobs, Reporter(out, stop))
            _write(out, {**values, "is_done": True}, made)
        except Exception as error:
            _write(out, {"error": _described(error)})


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipe of answers to ourselves: what a library prints goes to the log."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, out


def _read_orders(source: BinaryIO, orders: Orders, stop: threading.Event) -> None:
    while (head := source.read(4)) and len(head) == 4:
        values = json.loads(source.read(struct.unpack(">I", head)[0]))
        blobs = tuple(source.read(size) for size in values.pop("blobs", ()))
        if values.get("stop"):
            stop.set()
        else:
            stop.clear()
            orders.put((values, blobs))
    os._exit(0)  # nobody waits for what is under way


def _described(error: Exception) -> dict[str, str]:
    if isinstance(error, OrderRefused):
        return {"failure": "refused", "message": str(error), "field": error.field}
    if isinstance(error, MemoryError):
        return {"failure": "memory", "message": str(error)}
    if not isinstance(error, OrderStopped):
        traceback.print_exception(error)
    return {"failure": "fault", "message": f"{type(error).__name__}: {error}"}


def _write(out: BinaryIO, values: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    head = json.dumps({**values, "blobs": [len(blob) for blob in blobs]}).encode()
    out.write(struct.pack(">I", len(head)) + head)
    for blob in blobs:
        out.write(blob)
    out.flush()
