"""The table `jobs`, which is the truth about the queue, and the pace each lane has shown.

A change of status is one guarded UPDATE: it happens only from a status that allows it, and only the caller that gets
the job back has made it. The statements are constants so that a test can look at their query plans.
"""

import secrets
import sqlite3
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from generation.errors import StoreUnavailable, Unstorable
from generation.job import TERMINAL, TRANSITIONS, Job, JobError, JobStatus, Ticket
from generation.request import GenerationRequest
from generation.result import JobResult
from lazy import dataclass
from store.database import Row, Write
from store.job_reader import ACTIVE, LINE, RUNNING, JobReader
from store.job_rows import error_text, job_to_row, notes_text, request_text, result_text, to_epoch, to_json
from store.webhooks import SAVE_HOOK, Hook, hook_to_row
from texts.text import _

INSERT = """
    INSERT INTO jobs (id, status, lane, door, user_key, channel_id, message_id, reply_token, reply_token_until, weight,
        attempt, remote_id, created_at, not_before, started_at, finished_at, delivered_at, candidates, tried, notes,
        origin, request, drawn, result, error, is_pinned, interruptions, away_since, drawn_cost, drawn_model,
        priority)
    VALUES (:id, :status, :lane, :door, :user_key, :channel_id, :message_id, :reply_token, :reply_token_until, :weight,
        :attempt, :remote_id, :created_at, :not_before, :started_at, :finished_at, :delivered_at, :candidates, :tried,
        :notes, :origin, :request, :drawn, :result, :error, :is_pinned, :interruptions, :away_since, :drawn_cost,
        :drawn_model, :priority)
"""
CLAIM = """
    UPDATE jobs SET status = 'running', lane = :lane, started_at = :now, not_before = NULL
    WHERE id = :id AND status IN (SELECT value FROM json_each(:allowed)) RETURNING *
"""
REQUEUE = """
    UPDATE jobs SET status = 'queued', lane = :lane, candidates = :candidates, drawn = :drawn, drawn_cost = :drawn_cost,
        drawn_model = :drawn_model, attempt = :attempt, tried = :tried, notes = :notes, not_before = :not_before,
        away_since = :away_since, remote_id = NULL, intent = NULL, started_at = NULL
    WHERE id = :id AND status IN (SELECT value FROM json_each(:allowed)) RETURNING *
"""
REQUEUE_TO_LOOK = REQUEUE.replace("intent = NULL, ", "")
FINISH = """
    UPDATE jobs SET status = :status, finished_at = :now, not_before = NULL, result = :result, error = :error
    WHERE id = :id AND status IN (SELECT value FROM json_each(:allowed)) RETURNING *
"""
INTERRUPTED = "UPDATE jobs SET interruptions = interruptions + 1 WHERE id = ? AND status = 'running' RETURNING *"
SET_INTENT = "UPDATE jobs SET intent = :intent WHERE id = :id AND status = 'running' RETURNING id"
SET_REMOTE_ID = """
    UPDATE jobs SET remote_id = :remote_id, intent = NULL WHERE id = :id AND status = 'running' RETURNING id
"""
ATTACH_GROUP = """
    UPDATE jobs SET channel_id = :channel_id, message_id = :message_id WHERE id IN (SELECT value FROM json_each(:ids))
"""
ATTACH_MESSAGE = """
    UPDATE jobs SET channel_id = :channel_id, message_id = :message_id WHERE id = :id RETURNING *
"""
SET_DELIVERED = """
    UPDATE jobs SET delivered_at = :now, reply_token = '', reply_token_until = NULL
    WHERE id = :id AND finished_at IS NOT NULL AND delivered_at IS NULL RETURNING id
"""
_NEVER: Final = (ValueError, TypeError, OverflowError, sqlite3.DataError, sqlite3.InterfaceError)
LOAD_PACE = "SELECT lane, model, seconds_per_cost, samples FROM lane_pace"
SAVE_PACE = """
    INSERT INTO lane_pace (lane, model, seconds_per_cost, samples) VALUES (:lane, :model, :seconds_per_cost, :samples)
    ON CONFLICT (lane, model) DO UPDATE SET seconds_per_cost = excluded.seconds_per_cost, samples = excluded.samples
"""


@dataclass(frozen=True, kw_only=True)
class LanePace:
    """The pace of a lane with a model ("" = all together), from so many finished jobs."""

    lane: str
    model: str = ""
    seconds_per_cost: float
    samples: int


class AskedBefore(Exception):
    """There is a job of this person with that request key already."""


PUBLISH = """
    UPDATE jobs SET origin = json_set(origin, '$.private', json('false'))
    WHERE id = ? AND status = 'done' AND json_extract(origin, '$.private') RETURNING *
"""
PUBLISH_PICTURES = "UPDATE generated_images SET is_private = 0 WHERE job_id = ?"


class JobStore(JobReader):
    """Every change is one commit, or part of one; what it returned is on the disk, unless it says otherwise."""

    async def insert(self, job: Job) -> None:
        """Store a new job, or one that is done already (from the cache); raises what `insert_all` raises."""
        await self.insert_all((job,))

    async def insert_all(self, jobs: Sequence[Job], also: Sequence[Write] = ()) -> None:
        """Store jobs that were asked for together, with the webhooks that came along: all or nothing.

        `also` is what other tables say of them, in the same transaction.

        Raises:
            AskedBefore: this person has a job with the same `request_key` as one of them.
            NothingThere: what one of `also` must change is gone.
            StoreUnavailable: the file cannot be written.
            Unstorable: the job cannot.
        """
        async with _storing():
            try:
                await self._database.write_all([*also, *(write for job in jobs for write in self._writes(job))])
            except sqlite3.IntegrityError as error:
                if "UNIQUE" not in str(error):
                    raise
                raise AskedBefore from error
            except sqlite3.OperationalError as error:
                if _is_about_values(error):
                    raise
                raise StoreUnavailable(detail=str(error)) from error

    def _writes(self, job: Job) -> list[Write]:
        hook = _hook_of(job)
        before = [(SAVE_HOOK, hook_to_row(hook, self._box))] if hook else []  # first: it hears of the job
        return [*before, (INSERT, job_to_row(job, self._box))]

    async def active(self) -> list[Job]:
        """Return what is queued or running, in the order it was asked for; rows that cannot be read are failed."""
        return await self._all_or_failed(await self._database.fetch(ACTIVE))

    async def running(self) -> list[Job]:
        """Return what is running, in the order it was asked for; rows that cannot be read are failed."""
        return await self._all_or_failed(await self._database.fetch(RUNNING))

    async def line(self) -> list[Ticket]:
        """Return the places of all queued jobs, in the order they were asked for.

        Nothing else of them is read, so of a job that cannot be read this is told when it is claimed.
        """
        tickets, unreadable = await self._database.read_as(LINE, self._tickets)
        await self._fail_unreadable(unreadable)
        return tickets

    async def claim(self, job_id: str, *, lane: str, now: datetime) -> Job | None:
        """Take a queued job to run it on `lane`; None when somebody was first, or it cannot be read and is failed."""
        rows = await self._change_rows(CLAIM, job_id, JobStatus.RUNNING, lane=lane, now=to_epoch(now))
        return next(iter(await self._all_or_failed(rows)), None)

    async def requeue(
        self,
        job_id: str,
        *,
        lane: str,
        candidates: tuple[str, ...],
        drawn: GenerationRequest,
        attempt: int,
        tried: tuple[str, ...],
        notes: tuple[str, ...],
        not_before: datetime | None,
        away_since: datetime | None = None,
        keeps_intent: bool = False,
    ) -> Job | None:
        """Put a running job back in line: a retry, another lane, a restart. None when it is not running any more.

        `keeps_intent`: its engine may have taken it, so it is looked for there before it is sent again.
        """
        return await self._change(
            REQUEUE_TO_LOOK if keeps_intent else REQUEUE,
            job_id,
            JobStatus.QUEUED,
            lane=lane,
            candidates=to_json(candidates),
            drawn=request_text(drawn),
            drawn_cost=drawn.cost,
            drawn_model=drawn.model,
            attempt=attempt,
            tried=to_json(tried),
            notes=notes_text(notes),
            not_before=to_epoch(not_before),
            away_since=to_epoch(away_since),
        )

    async def finish(
        self,
        job_id: str,
        status: JobStatus,
        *,
        now: datetime,
        result: JobResult | None = None,
        error: JobError | None = None,
        allowed: Set[JobStatus] = frozenset(JobStatus),
    ) -> Job | None:
        """End a job; None when it was not in a status that may end so, or not in one of `allowed`."""
        if status not in TERMINAL:
            raise ValueError(f"{status} does not end a job")
        return await self._change(
            FINISH,
            job_id,
            status,
            allowed,
            status=status.value,
            now=to_epoch(now),
            result=result_text(result),
            error=error_text(error),
        )

    async def interrupted(self, job_id: str) -> Job | None:
        """Count that Easel stopped while the job ran; None when it is not running any more."""
        return self._first(await self._database.write(INTERRUPTED, (job_id,)))

    async def set_intent(self, job_id: str, intent: str) -> bool:
        """Note that a running job is sent to its engine now; False when it is not running any more."""
        return bool(await self._database.write(SET_INTENT, {"id": job_id, "intent": intent}))

    async def set_remote_id(self, job_id: str, remote_id: str) -> bool:
        """Note the engine's own id of a running job; False when it is not running any more."""
        return bool(await self._database.write(SET_REMOTE_ID, {"id": job_id, "remote_id": remote_id}))

    async def attach_message(self, job_id: str, *, channel_id: str, message_id: str, is_lax: bool = True) -> Job | None:
        """Note which message of ours shows the job.

        `is_lax`: after a power cut its door finds the message again, though it is not noted.
        """
        values = {"id": job_id, "channel_id": channel_id, "message_id": message_id}
        return self._first(await self._database.write(ATTACH_MESSAGE, values, is_lax=is_lax))

    async def publish(self, job_id: str) -> Job | None:
        """Make a private job that is done everybody's to see, its pictures too; None where it is none."""
        job = self._first(await self._database.write(PUBLISH, (job_id,)))
        if job is not None:
            await self._database.write(PUBLISH_PICTURES, (job_id,))
        return job

    async def attach_group(self, job_ids: Sequence[str], *, channel_id: str, message_id: str) -> None:
        """Note for all jobs of a group at once which message of ours shows them."""
        values = {"ids": to_json(job_ids), "channel_id": channel_id, "message_id": message_id}
        await self._database.write(ATTACH_GROUP, values)

    async def set_delivered(self, job_id: str, now: datetime, *, is_lax: bool = False) -> bool:
        """Note that a finished job's answer arrived and forget its reply token; True only the first time.

        `is_lax`: after a power cut its door may find it due once more, and its answer where it is.
        """
        values = {"id": job_id, "now": to_epoch(now)}
        return bool(await self._database.write(SET_DELIVERED, values, is_lax=is_lax))

    async def load_pace(self) -> list[LanePace]:
        return [LanePace(**dict(row)) for row in await self._database.fetch(LOAD_PACE)]

    async def save_pace(self, pace: LanePace) -> None:
        await self._database.write(SAVE_PACE, asdict(pace))

    async def _change(
        self, sql: str, job_id: str, to: JobStatus, allowed: Set[JobStatus] = frozenset(JobStatus), **values: Any
    ) -> Job | None:
        return self._first(await self._change_rows(sql, job_id, to, allowed, **values))

    async def _change_rows(
        self, sql: str, job_id: str, to: JobStatus, allowed: Set[JobStatus] = frozenset(JobStatus), **values: Any
    ) -> list[Row]:
        sources = [status.value for status in allowed if to in TRANSITIONS[status]]
        async with _storing():
            return await self._database.write(sql, {"id": job_id, "allowed": to_json(sources), **values})

    async def _all_or_failed(self, rows: list[Row]) -> list[Job]:
        jobs = self._all(rows)
        await self._fail_unreadable({row["id"] for row in rows} - {job.id for job in jobs})
        return jobs

    async def _fail_unreadable(self, job_ids: Set[str]) -> None:
        reason = JobError(code=Unstorable.code, user_message=_("What was stored of this job cannot be read."))
        for job_id in job_ids:
            await self.finish(job_id, JobStatus.FAILED, now=datetime.now(UTC), error=reason)


def _hook_of(job: Job) -> Hook | None:
    wanted = job.origin.webhook
    if wanted is None:
        return None
    hook_id = secrets.token_hex(8)
    return Hook(id=hook_id, job_id=job.id, url=wanted.url, events=wanted.events, created_at=job.created_at)


@asynccontextmanager
async def _storing() -> AsyncIterator[None]:
    """Distinguish a value that can never be written from a file that cannot be written now.

    Raises:
        Unstorable: trying again would fail again.
    """
    try:
        yield
    except _NEVER as error:
        raise Unstorable(detail=f"{type(error).__name__}: {error}") from error
    except sqlite3.DatabaseError as error:
        if not _is_about_values(error):
            raise
        raise Unstorable(detail=str(error)) from error


def _is_about_values(error: sqlite3.DatabaseError) -> bool:
    """Return whether the tables or SQLite's own JSON functions refuse what a row holds."""
    return any(words in str(error) for words in (_("malformed JSON"), _("constraint failed"), _("too big")))
