"""Follow one running job, listened to in the background for as long as it runs.

A source that cannot be opened or breaks costs the progress bar, not the job.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from backends.comfyui.news.events import FrameReader
from generation.errors import GenerationError
from generation.job import Progress

log = logging.getLogger(__name__)

MAX_FAILURES: Final = 5
BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 30.0


class Closed(Exception):
    """The other side hung up, or will not talk; `wait_s`: for how long, where it says."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class NewsSource(Protocol):
    """The source of news of one job."""

    async def listen(self, reader: FrameReader, on_open: Callable[[], None], on_news: Callable[[], None]) -> None:
        """Feed `reader` until the job is over.

        Raises:
            Closed, GenerationError: the connection broke, or there is none to be had.
        """
        ...


class JobWatch:
    """The state of one running job, kept up to date by its source."""

    def __init__(self, reader: FrameReader, source: NewsSource, backoff_s: float = BACKOFF_S) -> None:
        self.reader = reader
        self.is_connected = False
        self.opened = asyncio.Event()  # set once the source is open, or will not open at the first try
        self.asked_at = float("-inf")  # when the server was last asked over HTTP, and when it last answered
        self.answered_at: float | None = None
        self.place = ""  # where it stands in the server's own queue, in words, until it runs
        self.is_end_told = False
        self.missing = 0  # how often in a row it was neither waiting, running nor finished
        self._news = asyncio.Event()
        self._source = source
        self._backoff_s = backoff_s
        self._task = asyncio.create_task(self._run())

    @property
    def progress(self) -> Progress:
        return Progress(note=self.place) if self.place and not self.reader.has_started else self.reader.progress

    async def wait_for_news(self, limit_s: float) -> None:
        """Wait until the source says something new, at most `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def wait_for_end(self, limit_s: float) -> None:
        """Wait until the job is over or the source gone, at most `limit_s`; other news are in the next report."""
        try:
            async with asyncio.timeout(limit_s):
                while self.is_connected and not self.reader.is_over:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        failures = 0
        while not self.reader.is_over and failures < MAX_FAILURES:
            wait_s = 0.0
            try:
                await self._source.listen(self.reader, self._open, self._news.set)
            except (Closed, GenerationError) as error:
                log.debug("source ended", extra={"action": "socket_lost", "error": str(error)})
                wait_s = (error.wait_s if isinstance(error, Closed) else None) or 0.0
            except Exception:  # a broken watcher must not cost the picture: the job is asked for over HTTP
                log.exception("source crashed", extra={"action": "socket_lost"})
            finally:
                was_connected, self.is_connected = self.is_connected, False
                self._news.set()
                self.opened.set()
            failures = 1 if was_connected else failures + 1
            if not self.reader.is_over:
                await asyncio.sleep(max(wait_s, min(MAX_BACKOFF_S, self._backoff_s * 2 ** (failures - 1))))

    def _open(self) -> None:
        self.is_connected = True
        self.opened.set()
