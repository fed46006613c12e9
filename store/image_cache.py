"""Pictures for a day, as BLOBs in a SQLite file of their own, and which job made what was asked for.

When a picture's time is over it reads as gone at once; the sweep then takes its bytes out of every file.
Everything here may be lost without harm, so all trouble with the file is one exception: `CacheUnavailable`.
"""

import asyncio
import json
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from lazy import dataclass
from store.database import ConnectionClosed, Database, Row, Write
from store.migrations import cache_steps
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

FILE_NAME = "cache.sqlite3"
PAGE_BYTES = 16384  # a 5 MB picture is written in 6 ms, with pages of 4096 in 28 ms
BUSY_TIMEOUT_S = 2.0
RESERVED_BYTES = 32 * 1024**2  # left free on the disk for the jobs, which are worth more than pictures of a day
PINNED_UNTIL = datetime(9999, 1, 1, tzinfo=UTC)  # when a pinned picture expires
SWEEP_BATCH = 20  # overwriting with zeros takes about 4 ms a picture: others get their turn in between

JOBS_AT_ONCE = 200  # whose pictures are looked through in one go

NamedBy = Callable[[Sequence[str]], Awaitable[Mapping[str, Collection[str]]]]
Kind = Literal["output", "input", "thumbnail"]

PUT = """
    INSERT INTO media (media_id, kind, job_id, media_type, size_bytes, expires_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (media_id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at),
        job_id = coalesce(excluded.job_id, job_id)
"""
GET = "SELECT * FROM media WHERE media_id = ? AND expires_at > ?"
PIN = "UPDATE media SET expires_at = ? WHERE media_id = ? AND expires_at > ? RETURNING media_id"
UNPIN = "UPDATE media SET expires_at = ? WHERE media_id = ? AND expires_at >= ? RETURNING media_id"
PINNED = "SELECT media_id FROM media WHERE expires_at >= ?"
DELETE = """
    DELETE FROM media WHERE media_id IN (SELECT value FROM json_each(?)) RETURNING job_id
"""
DELETE_JOB = "DELETE FROM media WHERE job_id = ?"
FORGET = "DELETE FROM results WHERE job_id IN (SELECT value FROM json_each(?))"
FORGET_ALL = "DELETE FROM results"
REMEMBER = "INSERT INTO results (key, job_id) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id"
RECALL = """
    SELECT job_id FROM results WHERE key = ? AND EXISTS (
        SELECT 1 FROM media WHERE media.job_id = results.job_id AND kind = 'output' AND expires_at > ?)
"""
SWEEP = """
    DELETE FROM media WHERE media_id IN (
        SELECT media_id FROM media WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING media_id
"""
SWEEP_RESULTS = """
    DELETE FROM results WHERE NOT EXISTS (
        SELECT 1 FROM media WHERE media.job_id = results.job_id AND kind = 'output')
"""
JOBS_AFTER = "SELECT DISTINCT job_id FROM media WHERE job_id > ? AND kind = 'output' ORDER BY job_id LIMIT ?"
SWEEP_UNNAMED = """
    DELETE FROM media WHERE kind = 'output' AND job_id IN (SELECT value FROM json_each(?))
        AND media_id NOT IN (SELECT value FROM json_each(?)) RETURNING media_id
"""
NEXT_EXPIRY = "SELECT min(expires_at) AS expires_at FROM media"


class CacheUnavailable(Exception):
    """The picture cache cannot be used now: disk full, file locked or damaged."""


@dataclass(frozen=True, kw_only=True)
class Media:
    """A stored picture. `kind` is output, input or thumbnail."""

    data: bytes = field(repr=False)
    media_type: str
    expires_at: datetime
    job_id: str | None
    kind: str

    @property
    def is_video(self) -> bool:
        return self.media_type.startswith("video/")


class ImageCache:
    """The picture cache. Every method raises `CacheUnavailable` when the file cannot be used."""

    def __init__(
        self, database: Database, *, clock: Clock, ttl_s: float, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._ttl = timedelta(seconds=ttl_s)
        self._busy_timeout_s = busy_timeout_s
        self._is_suspect = asyncio.Event()  # the file may be damaged

    @classmethod
    async def open(
        cls, folder: Path, *, clock: Clock, ttl_s: float, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> "ImageCache":
        """Open or make the cache in `folder`; a file that is no database is moved aside and a new one begun.

        What else may be wrong with it is found by `watch`: to look at all of a large file takes a minute.
        """
        path = folder / FILE_NAME
        was_cut_off = await asyncio.to_thread(path.with_name(f"{FILE_NAME}-wal").exists)  # a close takes it away
        try:
            database = await _open(path, busy_timeout_s)
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise CacheUnavailable(str(error)) from error
            await _set_aside(path, clock.now(), str(error))
            database = await _open(path, busy_timeout_s)
        cache = cls(database, clock=clock, ttl_s=ttl_s, busy_timeout_s=busy_timeout_s)
        if was_cut_off:
            cache._is_suspect.set()
        return cache

    @property
    def ttl_s(self) -> float:
        """Return for how many seconds a picture is kept."""
        return self._ttl.total_seconds()

    async def watch(self) -> None:
        """Look through the file after an end that cut it off, or when a part of it could not be read; run it as a task.

        A damaged file is moved aside and a new one begun.
        """
        while True:
            await self._is_suspect.wait()
            self._is_suspect.clear()
            try:
                await self.check()
            except Exception:
                log.exception("could not look through the picture cache", extra={"action": "cache_failed"})

    async def check(self) -> None:
        """Look through the file beside its use, and begin a new one where it is damaged."""
        try:
            verdict = str((await self._database.read("PRAGMA quick_check(1)"))[0][0])
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise
            verdict = str(error)
        if verdict == "ok":
            return
        await self._database.close()
        await _set_aside(self._database.path, self._clock.now(), verdict)
        self._database = await _open(self._database.path, self._busy_timeout_s)

    async def put(
        self,
        data: bytes,
        *,
        media_type: str,
        job_id: str | None,
        kind: Kind = "output",
        media_id: str | None = None,
        answers: str = "",
    ) -> str:
        """Store a picture and return its id, which cannot be guessed; an input's is the sha256 of its bytes.

        Storing the same id again keeps the bytes and begins its time again. `answers`: the key (the request's and the
        lane) that its job is the answer to, now that this is there.
        """
        if media_id is None:
            is_input = kind == "input"
            media_id = await asyncio.to_thread(_sha256, data) if is_input else str(uuid4())
        expires_at = (self._clock.now() + self._ttl).timestamp()
        await asyncio.to_thread(_check_room, self._database.path.parent, len(data))
        writes: list[Write] = [(PUT, (media_id, kind, job_id, media_type, len(data), expires_at, data))]
        if answers:
            writes.append((REMEMBER, (answers, job_id)))
        async with self._unavailable():
            await self._database.write_all(writes)
        return media_id

    async def get(self, media_id: str) -> Media | None:
        rows = await self._fetch(GET, media_id, self._now())
        if not rows:
            return None
        row = rows[0]
        return Media(
            data=row["data"],
            media_type=row["media_type"],
            expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
            job_id=row["job_id"],
            kind=row["kind"],
        )

    async def pin(self, media_id: str) -> bool:
        """Keep a picture until it is unpinned or deleted; False when it is gone."""
        return bool(await self._write(PIN, PINNED_UNTIL.timestamp(), media_id, self._now()))

    async def unpin(self, media_id: str) -> datetime | None:
        """Let a picture's time begin again and return its end; None when it was not pinned."""
        expires_at = self._clock.now() + self._ttl
        unpinned = await self._write(UNPIN, expires_at.timestamp(), media_id, PINNED_UNTIL.timestamp())
        return expires_at if unpinned else None

    async def pinned(self) -> set[str]:
        """Return the ids of all pinned pictures."""
        return {row["media_id"] for row in await self._fetch(PINNED, PINNED_UNTIL.timestamp())}

    async def delete(self, media_ids: Iterable[str]) -> None:
        """Delete these pictures; the results that had them are not recalled any more."""
        async with self._unavailable(), self._database.transaction():
            rows = await self._database.write(DELETE, (json.dumps(list(media_ids)),))
            await self._database.write(FORGET, (json.dumps([row["job_id"] for row in rows]),))

    async def delete_job(self, job_id: str) -> None:
        """Delete all pictures of a job."""
        async with self._unavailable(), self._database.transaction():
            await self._database.write(DELETE_JOB, (job_id,))
            await self._database.write(FORGET, (json.dumps([job_id]),))

    async def forget_all_results(self) -> None:
        """Recall nothing of what was remembered so far; the pictures stay."""
        await self._write(FORGET_ALL)

    async def recall(self, key: str) -> str | None:
        """Return the id of the job that answered `key`, while its pictures are there."""
        rows = await self._fetch(RECALL, key, self._now())
        return rows[0]["job_id"] if rows else None

    async def sweep(self) -> int:
        """Delete what has expired, from the disk too; return how many pictures that were."""
        swept = 0
        while batch := len(await self._write(SWEEP, self._now(), SWEEP_BATCH)):
            swept += batch
        await self._write(SWEEP_RESULTS)
        async with self._unavailable():
            await self._database.shrink()
        await asyncio.to_thread(_drop_old_damage, self._database.path, self._clock.now() - self._ttl)
        return swept

    async def sweep_unnamed(self, named_by: NamedBy) -> int:
        """Delete the pictures of ended jobs that their results do not name; return how many those were.

        A crash between the keeping of a picture and the end of its job leaves one. `named_by` takes ids of jobs and
        returns, of those among them that have ended, the ids of the pictures that their results name. What belongs to
        no job that is known stays for its time: the table of jobs may be the one that is missing.
        """
        swept, after = 0, ""
        while rows := await self._fetch(JOBS_AFTER, after, JOBS_AT_ONCE):
            named = await named_by([row["job_id"] for row in rows])
            kept = [media_id for media_ids in named.values() for media_id in media_ids]
            swept += len(await self._write(SWEEP_UNNAMED, json.dumps(list(named)), json.dumps(kept)))
            after = rows[-1]["job_id"]
        return swept

    async def next_expiry(self) -> datetime | None:
        """Return when the next picture expires, which may be past; None when there is none."""
        seconds = (await self._fetch(NEXT_EXPIRY))[0]["expires_at"]
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None

    async def close(self) -> None:
        await self._database.close()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def check_writable(self) -> None:
        """Make sure that a picture could be stored now."""
        await asyncio.to_thread(_check_room, self._database.path.parent, 0)
        async with self._unavailable():
            await self._database.check_writable()

    @asynccontextmanager
    async def _unavailable(self) -> AsyncIterator[None]:
        try:
            yield
        except (sqlite3.Error, ConnectionClosed) as error:
            if isinstance(error, sqlite3.Error) and _is_damage(error):
                self._is_suspect.set()
            raise CacheUnavailable(str(error)) from error

    async def _fetch(self, sql: str, *params: Any) -> list[Row]:
        async with self._unavailable():
            return await self._database.fetch(sql, params)

    async def _write(self, sql: str, *params: Any) -> list[Row]:
        async with self._unavailable():
            return await self._database.write(sql, params)


def _check_room(folder: Path, size_bytes: int) -> None:
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise CacheUnavailable(str(error)) from error
    if free_bytes < RESERVED_BYTES + size_bytes:
        raise CacheUnavailable(_("the disk is almost full: {free_bytes} MB left", free_bytes=free_bytes // 1024**2))


async def _open(path: Path, busy_timeout_s: float) -> Database:
    return await Database.open(
        path,
        migrations=await asyncio.to_thread(cache_steps),
        synchronous="NORMAL",
        page_bytes=PAGE_BYTES,
        busy_timeout_s=busy_timeout_s,
    )


async def _set_aside(path: Path, now: datetime, finding: str) -> None:
    aside = await asyncio.to_thread(_move_aside, path, now)
    log.error(
        "the picture cache is damaged: moved to %s, a new one begins",
        aside.name,
        extra={"action": "cache_failed", "error": finding},
    )


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte of an extended code is the plain one
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _sha256(data: bytes) -> str:
    return sha256(data).hexdigest()


def _move_aside(path: Path, now: datetime) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{now.timestamp():.0f}")
    path.replace(aside)
    for suffix in ("-wal", "-shm"):  # they belong to the old file and would damage the new one
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def _drop_old_damage(path: Path, before: datetime) -> None:
    """Delete files moved aside before then: the pictures in them have expired like all others."""
    for aside in path.parent.glob(f"{path.name}.corrupt-*"):
        if float(aside.name.rpartition("-")[2]) <= before.timestamp():
            aside.unlink(missing_ok=True)
