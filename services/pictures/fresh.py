"""Pictures that were stored a moment ago, still in memory: who shows one first need not read it back."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from store.image_cache import Media

FRESH_BYTES: Final = 24 * 1024 * 1024
FRESH_S: Final = 10.0


class FreshPictures:
    """At most `FRESH_BYTES`, each for `FRESH_S` or until it is taken; beside the store, never in its place."""

    def __init__(self) -> None:
        self._media: OrderedDict[str, Media] = OrderedDict()

    def add(self, media_id: str, media: Media) -> None:
        self._media[media_id] = media
        asyncio.get_running_loop().call_later(FRESH_S, self._media.pop, media_id, None)
        while self._media and sum(len(kept.data) for kept in self._media.values()) > FRESH_BYTES:
            self._media.popitem(last=False)

    def take(self, media_id: str) -> Media | None:
        """Return a picture and forget it here."""
        return self._media.pop(media_id, None)

    def forget(self, media_ids: Iterable[str]) -> None:
        for media_id in media_ids:
            self._media.pop(media_id, None)

    def forget_job(self, job_id: str) -> None:
        self.forget([media_id for media_id, media in self._media.items() if media.job_id == job_id])
