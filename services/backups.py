"""Backups at intervals, into a folder of their own; the oldest go."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from constants import VERSION
from generation.errors import RequestRejected
from services.drawing.styles import FILE_NAME as STYLES_NAME
from settings.storage import StorageSettings
from store.backup import BackupRefused, BackupReport, DataFolder, forget_cut_off, write_backup
from store.database import FileTrouble
from utils.clock import Clock

log = logging.getLogger(__name__)

NAME: Final = "easel-%Y%m%d-%H%M%S.tar.gz"
PATTERN: Final = "easel-*-*.tar.gz"
RETRY_S: Final = 3600.0
LOOK_AGAIN_S: Final = 3600.0  # the clock may have been set
FIRST_WAIT_S: Final = 60.0  # a start has better things to do


def data_of(settings: StorageSettings) -> DataFolder:
    """Return where the parts of the data are that a backup holds."""
    more = {"wildcards": settings.wildcards_folder, STYLES_NAME: settings.data_dir / STYLES_NAME}
    return DataFolder(folder=settings.data_dir, pictures=settings.media_folder, more=more)


class BackupService:
    """Writes a backup whenever the newest one is older than the interval, across restarts."""

    def __init__(self, settings: StorageSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def folder(self) -> Path:
        """The data folder: what is made for a moment is on its disk."""
        return self._settings.data_dir

    @property
    def is_on(self) -> bool:
        return self._settings.backup_every_s > 0

    async def run(self) -> None:
        """Write backups as they fall due. Runs for ever."""
        await self._clock.sleep(FIRST_WAIT_S)
        while True:
            wait_s = (await asyncio.to_thread(self._due) - self._clock.now()).total_seconds()
            if wait_s > 0:
                await self._clock.sleep(min(wait_s, LOOK_AGAIN_S))
            elif not await self._write():
                await self._clock.sleep(RETRY_S)

    async def write(self, to: Path) -> None:
        """Write a backup now, without the key of stored secrets.

        Raises:
            RequestRejected: the file is there already, or there is too little room.
            OSError, FileTrouble: a file cannot be read or written.
        """
        try:
            await self._make(to)
        except BackupRefused as error:
            raise RequestRejected(str(error)) from error

    async def _make(self, to: Path) -> BackupReport:
        data, now = data_of(self._settings), self._clock.now()
        await asyncio.to_thread(forget_cut_off, self.folder)  # of downloads
        return await asyncio.to_thread(write_backup, data, to, version=VERSION, now=now, with_key=False)

    async def _write(self) -> bool:
        place = self._settings.backup_folder / name_at(self._clock.now())
        try:
            report = await self._make(place)
        except (BackupRefused, OSError, FileTrouble) as error:
            log.error("the backup into %s failed, next try in an hour: %s", place.parent, error)
            return False
        log.info("backup written: %s, %d bytes of data", place.name, sum(report.sizes.values()))
        await asyncio.to_thread(self._forget_old)
        return True

    def _due(self) -> datetime:
        """Return when the next one is due; the interval counts from the newest one that is there."""
        times = [time for path in self._settings.backup_folder.glob(PATTERN) if (time := _time_of(path))]
        every = timedelta(seconds=self._settings.backup_every_s)
        return max(times) + every if times and max(times) <= self._clock.now() else self._clock.now()

    def _forget_old(self) -> None:
        ours = sorted(path for path in self._settings.backup_folder.glob(PATTERN) if _time_of(path))
        for path in ours[: -self._settings.backup_keep]:
            path.unlink(missing_ok=True)


def name_at(now: datetime) -> str:
    """Return the name of a backup of that moment."""
    return now.astimezone(UTC).strftime(NAME)


def _time_of(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name, NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
