"""Forget what is due: words of a deleted job, words that are old, and everything about a person.

forget_job(job)            a job was deleted: its words go, wherever they stand
prune() -> int             words and jobs whose time is over go; the sweeper calls it
forget_person(user_key)    all that a person has here goes; figures stay, under a name that says nothing
"""

import logging
from datetime import timedelta

from backends.registry import Owner
from generation.job import Job
from lazy import dataclass
from queue_manager import QueueManager
from services.engines.connections import ConnectionService, lane_of
from services.library.gallery import GalleryService
from services.people.access import AccessService
from settings.storage import StorageSettings
from store.jobs import JobStore
from store.retention import RetentionStore
from store.words import WordStore, nameless
from utils.clock import Clock

log = logging.getLogger(__name__)

KEPT_FOR_A_DOOR = timedelta(days=1)  # beyond the pictures' time: people are told what became of a request so old


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """Counts of what was deleted of a person."""

    jobs: int
    pictures: int


class ForgettingService:
    """Deletes for good: nothing here can be taken back."""

    def __init__(
        self,
        store: WordStore,
        *,
        queue: QueueManager,
        jobs: JobStore,
        gallery: GalleryService,
        connections: ConnectionService,
        clock: Clock,
        settings: StorageSettings,
        retention: RetentionStore,
    ) -> None:
        """Args beyond the plain ones.

        settings: after `media_ttl_s` private words go, unless their picture is kept; after `words_ttl_s` all others;
            after `history_ttl_s` what has ended goes altogether, but not before its picture.
        """
        self._store = store
        self._queue = queue
        self._jobs = jobs
        self._gallery = gallery
        self._connections = connections
        self._clock = clock
        self._media_ttl = timedelta(seconds=settings.media_ttl_s)
        self._words_ttl = timedelta(seconds=settings.words_ttl_s)
        self._history_ttl = timedelta(seconds=settings.history_ttl_s)
        self._retention = retention
        self.access: AccessService | None = None  # where people sign in, if that door is open

    async def forget_job(self, job: Job) -> None:
        """Blank the words of a job that was deleted."""
        await self.forget_words(job.id)

    async def forget_words(self, job_id: str) -> None:
        """Blank the words of an ended job."""
        await self._store.blank([job_id], self._clock.now())
        await self._store.give_space_back()

    async def prune(self) -> int:
        """Blank the words whose time is over, and drop the jobs whose time is; return how many jobs that were."""
        await self._store.drop_intakes(self._clock.now() - self._media_ttl - KEPT_FOR_A_DOOR)
        pruned = await self._prune(self._media_ttl, is_private=True)
        if self._words_ttl:
            pruned += await self._prune(self._words_ttl, is_private=False)
        if pruned:
            log.info("words deleted", extra={"action": "words_deleted", "jobs": pruned})
        dropped = await self._drop_old()
        if pruned or dropped:
            await self._store.give_space_back()
        return pruned + dropped

    async def _drop_old(self) -> int:
        if not self._history_ttl:
            return 0
        now = self._clock.now()
        dropped = await self._retention.drop_jobs(before=now - max(self._history_ttl, self._media_ttl), now=now)
        if dropped:
            log.info("old jobs deleted", extra={"action": "jobs_deleted", "jobs": dropped})
        return dropped

    async def _prune(self, ttl: timedelta, *, is_private: bool) -> int:
        pruned = 0
        now = self._clock.now()
        while old := await self._store.old(before=now - ttl, now=now, is_private=is_private):
            pruned += await self._store.blank(old, now)
        return pruned

    async def forget_person(self, user_key: str) -> Forgotten:
        """Cancel what they wait for, then delete what they have: pictures, words, favourites, engine, keys, sessions.

        Repeated after a crash or a failure it goes on where it was.

        Raises:
            GenerationError: the media store does not answer; part of it may be done.
        """
        await self._store.forget_intakes(user_key)  # first, so that no job comes of them behind our back
        for job in await self._jobs.active_for(user_key):
            await self._queue.cancel(job.id)
        owner = Owner(kind="user", id=user_key.partition(":")[2])
        name, lane = nameless(), lane_of(owner)
        jobs = pictures = 0
        while True:
            job_ids, media_ids = await self._store.jobs_of(user_key)
            if not job_ids:
                break
            await self._gallery.lose_files(media_ids)  # before the rows that name them
            await self._store.disown(job_ids, name, self._clock.now(), lane=lane)
            jobs += len(job_ids)
            pictures += len(media_ids)
        await self._connections.disconnect(owner)
        await self._store.forget_person(user_key, name, lane=lane)
        await self._gallery.start()  # what only this person kept of others' is kept no longer
        if self.access is not None:
            self.access.drop(user_key)
        await self._store.give_space_back()
        log.info("a person was forgotten", extra={"action": "person_forgotten", "jobs": jobs})
        return Forgotten(jobs=jobs, pictures=pictures)
