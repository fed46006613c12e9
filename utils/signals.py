"""Stop on SIGINT and SIGTERM: in order at the first one, at once at the second. SIGHUP reads the settings again."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

INTERRUPTED = 130


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` at the first signal; a second one ends the process, since what counts is on the disk."""
    loop = asyncio.get_running_loop()

    def stop_or_end() -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        log.info("stopping; running jobs may finish (stop once more to end at once)")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop_or_end)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop_or_end))


def reload_on_signal(reload: Callable[[], Awaitable[object]], loop: asyncio.AbstractEventLoop) -> None:
    """Call `reload` in the loop at every SIGHUP; one that says the terminal is gone stops Easel, as ever."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:  # Windows
        return
    had_terminal = os.isatty(0)
    running: set[asyncio.Future[object]] = set()

    def begin() -> None:
        task = asyncio.ensure_future(reload())
        running.add(task)
        task.add_done_callback(running.discard)

    def hear(*_: object) -> None:
        if had_terminal and not os.isatty(0):
            signal.raise_signal(signal.SIGTERM)
        else:
            loop.call_soon_threadsafe(begin)

    signal.signal(number, hear)
