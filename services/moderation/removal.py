"""Takes a picture from everywhere: the store of files, galleries, favourites, collections, the studio and the API."""

from collections.abc import Awaitable, Callable

from generation.job import Job, JobError
from queue_manager import QueueManager
from services.library.gallery import GalleryService
from services.moderation.bans import BY_MODERATOR
from services.pictures.media import MediaService
from store.jobs import JobStore
from texts.text import _


class PictureRemoval:
    """Its words stay until their time is over, since an appeal is decided by them."""

    def __init__(self, *, queue: QueueManager, jobs: JobStore, media: MediaService, gallery: GalleryService) -> None:
        self._queue = queue
        self._jobs = jobs
        self._media = media
        self._gallery = gallery
        self.on_removed: list[Callable[[Job], Awaitable[None]]] = []

    async def remove(self, job: Job) -> None:
        """Delete the pictures of a job, also where an answer from the cache shows those of another one. Safe to repeat.

        Raises:
            GenerationError: the media store does not answer, so they are still there.
        """
        if not job.is_terminal:
            await self._queue.cancel(job.id, JobError(code=BY_MODERATOR, user_message=_("Cancelled by a moderator.")))
            job = await self._jobs.get(job.id) or job
        await self._media.discard(job.id)
        if job.result is not None:
            await self._gallery.lose_files([image.media_id for image in job.result.images])
        await self._gallery.forget_job(job)
        for tell in self.on_removed:
            await tell(job)
