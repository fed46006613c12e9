"""Check that requests can be kept: both files of Easel can be written, and their disks have room."""

import asyncio
import logging

from services.pictures.media import MediaService
from store.database import Database, FileTrouble
from store.image_cache import CacheUnavailable
from texts.text import _

log = logging.getLogger(__name__)


class ReadinessService:
    """For machines that watch over Easel. Questions that come together share one look."""

    def __init__(self, database: Database, media: MediaService) -> None:
        self._database = database
        self._media = media
        self._look: asyncio.Task[str] | None = None

    async def problem(self) -> str:
        """Return what stands in the way, in words for anybody; "" if nothing does."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._ask())
        return await asyncio.shield(self._look)

    async def _ask(self) -> str:
        try:
            await self._database.check_writable()
        except FileTrouble as error:
            log.warning("not ready", extra={"action": "store_failed", "error": str(error)})
            return _("the database cannot be written")
        try:
            await self._media.check_writable()
        except CacheUnavailable as error:
            log.warning("not ready", extra={"action": "cache_failed", "error": str(error)})
            return _("pictures cannot be kept")
        return ""
