"""Pictures on their way in and out: checked, labelled with their parameters, kept for a while, copied to fit a door.

Pictures live in `store.image_cache`. Where that cannot take one (a full disk, say), it is held in memory for as long
as there is room, so that the person who asked still gets it.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import GenerationError, RequestRejected
from generation.job import Job
from generation.request import GenerationRequest, SourceImage
from generation.result import GenerationResult, JobResult, StoredImage, came_back
from lazy import dataclass
from services.pictures.fresh import FreshPictures
from services.pictures.labels import file_name as file_name
from services.pictures.labels import labelled
from services.pictures.labels import parameters_of as parameters_of
from services.pictures.marks import Marks
from store.image_cache import CacheUnavailable, ImageCache
from store.image_cache import Media as Media
from texts.text import _
from utils import images
from utils.canvas import upright_size
from utils.clock import Clock
from utils.images import BadImage, ImageInfo
from utils.threads import run_in_thread
from utils.video import picture_of, still_of

log = logging.getLogger(__name__)

HELD_BYTES: Final = 64 * 1024 * 1024  # what memory holds while the cache cannot
CANNOT_KEEP: Final = _("This picture cannot be kept just now. Please try again, or save it to a file.")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file for a door with a byte limit. `is_smaller`: not the original, which stays in the media store.

    `video_bytes`: it is only a still of a video that large, which does not fit.
    """

    data: bytes = field(repr=False)
    media_type: str
    is_smaller: bool = False
    video_bytes: int = 0

    @property
    def extension(self) -> str:
        return images.EXTENSIONS.get(self.media_type, "bin")


class MediaService:
    """The media store as the other rooms see it; also where the queue leaves finished pictures (`ResultSink`)."""

    def __init__(
        self,
        cache: ImageCache,
        clock: Clock,
        ttl_s: float,
        label_of: Callable[[str], str] = lambda lane: lane,
        marks: Marks | None = None,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self.ttl_s = ttl_s
        self._ttl = timedelta(seconds=ttl_s)
        self._label_of = label_of
        self._marks = marks or Marks()
        self._held: OrderedDict[str, Media] = OrderedDict()
        self._fresh = FreshPictures()
        self.on_stored: list[Callable[[], None]] = []  # told after each picture, so that its end can be waited for

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        """Store the pictures of a finished job with their parameters in them; never fails because of the store."""
        label, source_type = self._label_of(job.lane), self._marks.source_type_of(job.lane)
        stored: list[StoredImage] = []
        notes, drawn = list(result.notes), result.images
        for nth, image in enumerate(drawn, 1):
            try:
                info, data = await run_in_thread(labelled, image, nth, job.drawn, result.model, label, source_type)
            except BadImage:
                about = {"action": "job_finished", "job": job.id, "backend": job.lane, "picture": nth}
                log.warning("broken file from the engine", extra=about)
                notes.append(_("picture {number} of {of} came damaged from the engine", number=nth, of=len(drawn)))
                continue
            data = await self._marks.signed(data, source_type, job.drawn, image.data)
            is_whole = result.is_complete and len(stored) + 1 == max(job.drawn.batch_size, len(drawn))
            stored.append(await self._store(data, info, image.seed, job, is_whole=is_whole))
        if stored and len(stored) < (asked := job.drawn.batch_size):
            notes.insert(0, came_back(len(stored), asked))
        return JobResult(
            images=tuple(stored),
            backend=label,
            seconds=seconds,
            model=result.model or job.drawn.model,
            cost_usd=result.cost_usd,
            notes=tuple(notes),
            revised_prompt=result.revised_prompt,
            expires_at=self._clock.now() + self._ttl,
        )

    async def discard(self, job_id: str) -> None:
        """Forget every picture that a job drew at once: those of its result, and what a crash left behind.

        Raises:
            GenerationError: the media store does not answer, so they are still there.
        """
        for media_id in [media_id for media_id, media in self._held.items() if media.job_id == job_id]:
            del self._held[media_id]
        self._fresh.forget_job(job_id)
        async with _deleting():
            await self._cache.delete_job(job_id)

    async def forget(self, media_ids: Sequence[str]) -> None:
        """Delete these pictures at once, pinned ones too.

        Raises:
            GenerationError: the media store does not answer, so they are still there.
        """
        for media_id in media_ids:
            self._held.pop(media_id, None)
        self._fresh.forget(media_ids)
        async with _deleting():
            await self._cache.delete(media_ids)

    async def pin(self, media_id: str) -> bool:
        """Keep a picture beyond its time; False when it is gone.

        Raises:
            GenerationError: the media store cannot keep it now.
        """
        try:
            if await self._cache.pin(media_id):
                return True
        except CacheUnavailable as error:
            raise GenerationError(CANNOT_KEEP, detail=str(error)) from error
        self._drop_expired()
        if media_id in self._held:
            raise GenerationError(CANNOT_KEEP, detail="held in memory only")
        return False

    async def unpin(self, media_id: str) -> datetime | None:
        """Let the time of a pinned picture begin again and return its end; None when it was not pinned.

        Raises:
            GenerationError: the media store does not answer.
        """
        try:
            expires_at = await self._cache.unpin(media_id)
        except CacheUnavailable as error:
            raise GenerationError(_("That could not be changed just now. Please try again.")) from error
        self._tell()
        return expires_at

    async def pinned(self) -> set[str]:
        """Return the ids of all pinned pictures; none when the store does not answer."""
        try:
            return await self._cache.pinned()
        except CacheUnavailable as error:
            log.warning("the media store does not answer", extra={"action": "cache_failed", "error": str(error)})
            return set()

    async def get(self, media_id: str) -> Media | None:
        """Return a picture, or None when there is none, or none any more."""
        self._drop_expired()
        if held := self._held.get(media_id):
            return held
        try:
            return await self._cache.get(media_id)
        except CacheUnavailable:
            log.warning("the media store does not answer", extra={"action": "cache_failed", "media": media_id})
            return None

    async def check_writable(self) -> None:
        """Make sure that a picture could be kept now.

        Raises:
            CacheUnavailable: the disk is full, or the file cannot be written.
        """
        await self._cache.check_writable()

    async def has_all(self, result: JobResult) -> bool:
        """Return whether every picture of a result is still there."""
        for image in result.images:
            if await self.get(image.media_id) is None:
                return False
        return bool(result.images)

    async def recall(self, lane: str, request: GenerationRequest, asked: GenerationRequest | None = None) -> str | None:
        """Return the id of the job that made exactly this on that engine, if it is remembered."""
        try:
            return await self._cache.recall(_result_key(lane, request, asked or request))
        except CacheUnavailable:
            return None

    async def take_input(self, data: bytes) -> SourceImage:
        """Clean and store a picture that somebody brought; the same picture twice is one.

        Raises:
            RequestRejected: it is no picture, is too large, or cannot be kept now.
        """
        try:
            cleaned = await run_in_thread(images.clean_input, data)
        except BadImage as error:
            limit = MAX_INPUT_IMAGE_BYTES // 1024**2
            hint = _("PNG, JPEG, WebP or GIF of up to {limit} MB works.", limit=limit)
            raise RequestRejected(str(error), field="init_image", hint=hint) from error
        return await self.keep_input(cleaned)

    async def keep_input(self, cleaned: bytes) -> SourceImage:
        """Store an input picture that Easel cleaned or made; the same picture twice is one.

        Raises:
            RequestRejected: it is too large.
        """
        try:
            info = await run_in_thread(images.inspect, cleaned)
        except BadImage as error:
            raise RequestRejected(str(error), field="init_image") from error
        source = await run_in_thread(SourceImage.of, cleaned, info.width, info.height)
        try:
            await self._cache.put(
                cleaned, media_type=info.media_type, job_id=None, kind="input", media_id=source.media_id
            )
        except CacheUnavailable as error:
            self._hold(source.media_id, cleaned, info, job_id=None, kind="input", error=error)
        self._tell()
        return source

    async def load(self, source: SourceImage) -> SourceImage:
        """Return the source with its bytes.

        Raises:
            RequestRejected: they are gone, or a video's.
        """
        if source.data:
            return source
        media = await self.get(source.media_id)
        if media is None:
            hours = self.ttl_s / 3600
            raise RequestRejected(
                _("The source picture has expired: pictures are kept for {hours:g} h. Attach it again.", hours=hours),
                field="init_image",
            )
        if media.is_video:
            hint = _("Save the frame that you mean as a picture and attach that.")
            raise RequestRejected(_("That is a video: only pictures can be drawn from."), field="init_image", hint=hint)
        return SourceImage(media_id=source.media_id, data=media.data)

    async def upload_copy(self, media_id: str, limit_bytes: int) -> Upload | None:
        """Return a picture in at most `limit_bytes`: the original where it fits, else the best copy that does.

        A video's copy is a still of it. None when the picture is gone, or not even a tiny copy fits.
        """
        media = self._fresh.take(media_id) or await self.get(media_id)
        if media is None:
            return None
        if len(media.data) <= limit_bytes:  # it was checked when it was stored
            return Upload(data=media.data, media_type=media.media_type)
        if not media.is_video:
            return await self._fit(media.data, limit_bytes)
        still = await self._fit(await run_in_thread(still_of, media.data), limit_bytes)
        return replace(still, is_smaller=True, video_bytes=len(media.data)) if still else None

    async def grid_of(self, result: JobResult, limit_bytes: int) -> Upload | None:
        """Return the pictures of a result on one sheet, numbered; None when one of them is gone or damaged."""
        media_ids = [image.media_id for image in result.images]
        return await self._sheet(media_ids, len(media_ids) > 1, limit_bytes)

    async def strip_of(self, named: Sequence[tuple[str, str]], limit_bytes: int) -> Upload | None:
        """Return pictures side by side on one sheet, each given as its name and media id; None as in `grid_of`."""
        return await self._sheet([media_id for __, media_id in named], [name for name, __ in named], limit_bytes)

    async def converted(self, media: Media, kind: str) -> Upload:
        """Return a picture as PNG, JPEG or WEBP, with its parameters; a video as it is.

        Raises:
            RequestRejected: it cannot be decoded.
        """
        if media.is_video:
            return Upload(data=media.data, media_type=media.media_type)
        try:
            data = await run_in_thread(images.convert, media.data, kind, self._marks.copied)
        except BadImage as error:
            raise RequestRejected(str(error), field="format") from error
        return Upload(data=data, media_type=f"image/{kind.casefold()}", is_smaller=data is not media.data)

    async def size_of(self, source: SourceImage) -> tuple[int, int]:
        """Return the sides of an input picture as it is looked at, in pixels; (0, 0) when it cannot be read."""
        loaded = await self.load(source)
        try:
            return await run_in_thread(upright_size, loaded.data)
        except BadImage:
            return 0, 0

    async def thumbnail(self, media_id: str, side: int) -> bytes | None:
        """Return a JPEG of at most `side` pixels a side. It is not stored, so it cannot outlive the picture."""
        media = await self.get(media_id)
        if media is None:
            return None
        try:
            return await run_in_thread(lambda: images.thumbnail(picture_of(media.data), side, self._marks.copied))
        except BadImage:
            return None

    async def _sheet(self, media_ids: list[str], labels: bool | list[str], limit_bytes: int) -> Upload | None:
        found = [await self.get(media_id) for media_id in media_ids]
        parts = [media.data for media in found if media is not None]
        if not parts or len(parts) < len(found):
            return None
        try:
            sheet = await run_in_thread(lambda: images.grid([*map(picture_of, parts)], labels, self._marks.copied))
        except BadImage:
            return None
        return await self._fit(sheet, limit_bytes)

    async def _fit(self, data: bytes, limit_bytes: int) -> Upload | None:
        try:
            fitted = await run_in_thread(images.fit_bytes, data, limit_bytes, self._marks.copied)
        except BadImage:
            return None
        return Upload(data=fitted.data, media_type=fitted.media_type, is_smaller=fitted.is_smaller)

    async def _store(self, data: bytes, info: ImageInfo, seed: int, job: Job, *, is_whole: bool) -> StoredImage:
        """Store a picture of a job; `is_whole`: its last one, and the job is an answer to who asks the same."""
        key, job_id = _result_key(job.lane, job.drawn, job.request) if is_whole else "", job.id
        try:
            media_id = await self._cache.put(data, media_type=info.media_type, job_id=job_id, answers=key)
        except CacheUnavailable as error:
            media_id = str(uuid4())
            self._hold(media_id, data, info, job_id=job_id, kind="output", error=error)
        else:
            self._fresh.add(media_id, self._media(data, info, job_id, "output"))
        self._tell()
        return StoredImage(
            media_id=media_id,
            seed=seed,
            width=info.width,
            height=info.height,
            media_type=info.media_type,
            size_bytes=len(data),
        )

    def _hold(
        self, media_id: str, data: bytes, info: ImageInfo, *, job_id: str | None, kind: str, error: Exception
    ) -> None:
        """Keep a picture in memory; the oldest go when there are too many, but never the newest."""
        self._drop_expired()
        log.error(
            "the media store takes nothing; pictures are held in memory and end with this process",
            extra={"action": "cache_failed", "job": job_id, "error": str(error)},
        )
        self._held[media_id] = self._media(data, info, job_id, kind)
        self._held.move_to_end(media_id)
        while len(self._held) > 1 and sum(len(media.data) for media in self._held.values()) > HELD_BYTES:
            self._held.popitem(last=False)

    def _media(self, data: bytes, info: ImageInfo, job_id: str | None, kind: str) -> Media:
        ends = self._clock.now() + self._ttl
        return Media(data=data, media_type=info.media_type, expires_at=ends, job_id=job_id, kind=kind)

    def _drop_expired(self) -> None:
        now = self._clock.now()
        for media_id in [media_id for media_id, media in self._held.items() if media.expires_at <= now]:
            del self._held[media_id]

    def _tell(self) -> None:
        for tell in self.on_stored:
            tell()


@asynccontextmanager
async def _deleting() -> AsyncIterator[None]:
    try:
        yield
    except CacheUnavailable as error:
        raise GenerationError(_("The pictures could not be deleted just now. Please try again.")) from error


def _result_key(lane: str, drawn: GenerationRequest, asked: GenerationRequest) -> str:
    """Return what a result is remembered by: what was drawn, and the size that it was brought back to."""
    size = f":{asked.width}x{asked.height}" if drawn.guide else ""
    return f"{lane}:{drawn.key()}{size}"
