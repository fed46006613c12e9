"""Stop on SIGINT and SIGTERM: in order at the first one, at once at the second."""

import asyncio
import logging
import os
import signal

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
