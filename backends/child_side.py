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
import time
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

    def __init__(self, out: "Out", stop: threading.Event) -> None:
        self._out = out
        self._stop = stop

    def report(self, *blobs: bytes, **values: Any) -> None:
        """Report how the work stands, with bytes such as a preview.

        Raises:
            OrderStopped: nobody waits for it any more.
        """
        self.check()
        self._out.write(values, blobs)

    def check(self) -> None:
        """Go on, unless nobody waits for it any more.

        Raises:
            OrderStopped: then.
        """
        if self._stop.is_set():
            raise OrderStopped


Work: TypeAlias = Callable[[Mapping[str, Any], Blobs, Reporter], tuple[Mapping[str, Any], Sequence[bytes]]]


class Out:
    """The pipe of answers, for several threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._turn = threading.Lock()

    def write(self, values: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Write one frame, whole."""
        head = json.dumps({**values, "blobs": [len(blob) for blob in blobs]}).encode()
        with self._turn:
            self._stream.write(struct.pack(">I", len(head)) + head)
            for blob in blobs:
                self._stream.write(blob)
            self._stream.flush()


def serve(work: Work, *, beat_s: float | None = None) -> None:
    """Carry out orders with `work` until the parent is gone or closes the pipe; never returns.

    With `beat_s` a thread of its own gives a sign of life so often while an order is carried out.
    """
    source, out = _own_streams()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICENESS)
    orders: Orders = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_read_orders, args=(source, orders, stop), daemon=True).start()
    busy = threading.Event()
    if beat_s:
        threading.Thread(target=_beat, args=(out, busy, beat_s), daemon=True).start()
    while True:
        order, blobs = orders.get()
        busy.set()
        try:
            values, made = work(order, blobs, Reporter(out, stop))
            answer: Mapping[str, Any] = {**values, "is_done": True}
        except Exception as error:
            answer, made = {"error": _described(error)}, ()
        busy.clear()
        out.write(answer, made)


def _own_streams() -> tuple[BinaryIO, Out]:
    """Keep the pipe of answers to ourselves: what a library prints goes to the log."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, Out(out)


def _beat(out: Out, busy: threading.Event, beat_s: float) -> None:
    while True:
        busy.wait()
        out.write({"beat": True})
        time.sleep(beat_s)


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
