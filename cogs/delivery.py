"""Keep a message true, whatever it shows.

A task each, tried again after faults of ours; and a result that is sent until Discord takes it or no place is left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import nextcord

from cogs.cards import Card
from cogs.posting import TRANSIENT, NowhereToPost, Posted, Poster, is_too_large
from cogs.spender import Spender
from constants import DISCORD_FILE_BYTES
from generation.job import Job, JobStatus
from lazy import dataclass
from texts.text import _, _n
from utils.clock import Clock

log = logging.getLogger(__name__)

RETRY_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0, *(300.0,) * 289)  # for a day
FOLLOW_RETRY_S: Final = (1.0, 10.0, 60.0, 300.0)
EDITED_FOR_S: Final = 55 * 60.0
CLOSE_WAIT_S: Final = 3.0
LEAST_FILE_BYTES: Final = 512 * 1024
Write = Callable[[Posted, Sequence[Job]], Awaitable[None]]


def is_old(job: Job, clock: Clock) -> bool:
    """Return whether Discord allows only a few edits of its message, older than an hour: they wait for the result."""
    return (clock.now() - job.created_at).total_seconds() > EDITED_FOR_S


class Followers:
    """One task for each message that somebody waits for, by what it shows."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._delivering: set[asyncio.Task[Any]] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    def start(self, key: str, follow: Callable[[], Awaitable[None]]) -> None:
        """Follow something from now on, if nobody does."""
        if key not in self._tasks:
            task = asyncio.create_task(self._keep_following(key, follow), name="follow")
            self._tasks[key] = task
            task.add_done_callback(lambda __: self._tasks.pop(key, None))

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Mark what the present task does as the sending of a result, which a stop lets arrive."""
        task = asyncio.current_task()
        assert task is not None, "run as a task by `start`"
        self._delivering.add(task)
        try:
            yield
        finally:
            self._delivering.discard(task)

    async def aclose(self) -> None:
        """Let results that are on their way arrive, for a moment; the rest stays due."""
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=CLOSE_WAIT_S)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_following(self, key: str, follow: Callable[[], Awaitable[None]]) -> None:
        """A fault of ours (a locked store, say) must not leave a message as it is for ever."""
        for wait_s in FOLLOW_RETRY_S:
            try:
                await follow()
                return
            except Exception:
                log.exception("a message could not be followed", extra={"action": "job_failed", "job": key})
                await self._clock.sleep(wait_s)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Sends what a job or a comparison has come to."""

    poster: Poster
    spender: Spender
    clock: Clock
    write: Write  # sends what is also wanted as a direct message
    ping_after_s: float = 0.0  # 0: never

    async def follow_up(self, posted: Posted, jobs: Sequence[Job]) -> None:
        """Do what comes after a result was shown."""
        await self.write(posted, jobs)
        await self.ping(posted, jobs)

    def has_more(self, jobs: Sequence[Job]) -> bool:
        """Return whether more than the result may be sent, which nothing would find again if it were sent twice."""
        return any(job.origin.by_letter for job in jobs) or self._is_late(jobs)

    def _is_late(self, jobs: Sequence[Job]) -> bool:
        waited = max(job.finished_at or job.created_at for job in jobs) - min(job.created_at for job in jobs)
        return bool(self.ping_after_s) and waited.total_seconds() >= self.ping_after_s

    async def ping(self, posted: Posted, jobs: Sequence[Job]) -> None:
        """Notify who asked of the end, by a short reply after a long wait: an edit pings nobody."""
        done = [job for job in jobs if job.status is JobStatus.DONE]
        ended = done or [job for job in jobs if job.status in (JobStatus.FAILED, JobStatus.EXPIRED)]
        if not ended or not is_pinged(ended[0]) or posted.place not in ("reply", "message") or not self._is_late(jobs):
            return
        if done:
            text = _n("your picture is ready.", "your pictures are ready.", count=len(done))
        else:
            text = _n("your picture could not be drawn.", "your pictures could not be drawn.", count=len(ended))
        await self.poster.ping(ended[0].origin, posted, text)

    async def send(
        self, key: str, job: Job, draw: Callable[[int], Awaitable[Card]], *, is_repeated: bool
    ) -> Posted | None:
        """Put a result into the best place that takes it; None where no place is left.

        Args:
            key: what the message shows, for the budget of edits.
            job: where its answer belongs.
            draw: makes the card; its files may have so many bytes in all.
            is_repeated: an earlier process may have sent it.
        """
        limit_bytes = DISCORD_FILE_BYTES
        card = await draw(limit_bytes)
        for wait_s in RETRY_S:
            deliver = partial(self.poster.deliver, job, card, is_repeated=is_repeated)
            try:
                posted: Posted = await self.spender.final(self.poster.bucket(job.origin), key, deliver)
                return posted
            except NowhereToPost:
                log.warning("no place left for a result", extra={"action": "job_failed", "job": key})
                return None
            except (nextcord.HTTPException, *TRANSIENT) as error:
                if is_too_large(error) and limit_bytes > LEAST_FILE_BYTES:
                    limit_bytes //= 2
                    card = await draw(limit_bytes)
                    continue
                name = type(error).__name__
                log.warning("Discord did not take a result (%s), it stays due", name, extra={"job": key})
                is_repeated = True
                await self.clock.sleep(wait_s)
        raise TimeoutError(_("Discord took nothing for a day"))


def is_pinged(job: Job) -> bool:
    """Return whether who asked wants to be pinged, and can be: not where the bot is no member."""
    return job.origin.pings and not job.origin.private and not job.origin.is_elsewhere
