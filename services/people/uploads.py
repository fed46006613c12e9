"""Upload quota of each person: pictures take room on the disk until they expire, whoever brought them."""

import math
from typing import Final

from generation.errors import LimitReached
from settings.storage import StorageSettings
from store.uploads import UploadStore
from texts.text import _
from utils.clock import Clock

HOUR_S: Final = 3600.0
MB: Final = 1024**2


class UploadQuota:
    """Counts bytes over the time that pictures are kept, through restarts too."""

    def __init__(self, store: UploadStore, clock: Clock, settings: StorageSettings) -> None:
        self._store = store
        self._clock = clock
        self.quota_mb = settings.max_upload_mb_per_user
        self._hours = max(1, math.ceil(settings.media_ttl_s / HOUR_S))
        self._pruned = 0

    async def charge(self, user_key: str, size_bytes: int) -> None:
        """Count what somebody brings, each time again.

        Raises:
            LimitReached: it is too much; says when there is room again.
        """
        if not self.quota_mb:
            return
        now_s = self._clock.now().timestamp()
        hour = int(now_s // HOUR_S)
        since = hour - self._hours
        if hour != self._pruned:
            self._pruned = hour
            await self._store.prune(since)
        quota_bytes = self.quota_mb * MB
        if await self._store.charge(user_key, size_bytes, hour=hour, since=since, quota_bytes=quota_bytes):
            return
        oldest = await self._store.oldest(user_key, since)
        free_at_s = ((hour if oldest is None else oldest) + self._hours) * HOUR_S
        raise LimitReached(
            _(
                "You have brought {quota_mb} MB of pictures within {hours} h, the maximum.",
                quota_mb=self.quota_mb,
                hours=self._hours,
            ),
            retry_after=max(1.0, free_at_s - now_s),
            hint=_("Pictures that are here already may be used by their ids."),
        )
