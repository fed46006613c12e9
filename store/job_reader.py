"""Reading the table `jobs`. The statements are constants so that a test can look at their query plans."""

from collections.abc import Sequence
from datetime import datetime

from generation.job import Job, JobStatus, Ticket
from generation.person import Person
from generation.policy import IN_ROOMS, LISTED, listing
from store.database import Database, Row
from store.job_rows import row_to_job, row_to_ticket, to_epoch, to_json
from store.rows import RowReader
from utils.secrets import SecretBox

GET = "SELECT * FROM jobs WHERE id = ?"
FIND_AFTER_STAMP = """
    SELECT * FROM jobs
    WHERE id >= 'job_' AND id < 'job`' AND substr(id, instr(substr(id, 5), '_') + 5, :chars) = :prefix LIMIT 2
"""  # ids like job_<ms>_<random>: people are shown the random part
FIND = "SELECT * FROM jobs WHERE id >= :first AND id < :after ORDER BY id LIMIT 2"
DUE_IN = """
    SELECT * FROM jobs WHERE message_id IN (SELECT value FROM json_each(?)) AND delivered_at IS NULL
"""
IN_MESSAGE = "SELECT * FROM jobs WHERE message_id = ? ORDER BY created_at DESC"
# INDEXED BY: the planner would rather go through all of a person's history, or sort.
ACTIVE = "SELECT * FROM jobs INDEXED BY jobs_active WHERE status IN ('queued', 'running') ORDER BY created_at, id"
LINE = """
    SELECT id, lane, user_key, drawn_cost, weight, drawn_model, created_at, not_before, away_since,
        coalesce(priority, is_urgent) AS priority, iif(drawn_cost IS NULL, drawn, NULL) AS drawn,
        iif(drawn_cost IS NULL, origin, NULL) AS origin
    FROM jobs INDEXED BY jobs_active WHERE status IN ('queued', 'running') AND status = 'queued' ORDER BY created_at, id
"""
RUNNING = """
    SELECT * FROM jobs INDEXED BY jobs_active WHERE status IN ('queued', 'running') AND status = 'running'
    ORDER BY created_at, id
"""
ACTIVE_AT = """
    SELECT * FROM jobs INDEXED BY jobs_active WHERE status IN ('queued', 'running') AND door = ? ORDER BY created_at, id
"""
RUNNING_AT = f"{RUNNING.replace('ORDER BY', 'AND door = ? ORDER BY')}"
ACTIVE_ON = "SELECT id FROM jobs INDEXED BY jobs_active WHERE status IN ('queued', 'running') AND lane = ?"
UNSHOWN_AT = """
    SELECT * FROM jobs INDEXED BY jobs_active
    WHERE status IN ('queued', 'running') AND status = 'queued' AND door = :door
        AND (message_id IS NULL OR reply_token_until > :now)
    ORDER BY created_at, id
"""
GROUPED_AT = """
    SELECT * FROM jobs INDEXED BY jobs_active
    WHERE status IN ('queued', 'running') AND door = ? AND json_extract(origin, '$.group_id') IS NOT NULL
    ORDER BY created_at, id
"""
ACTIVE_FOR = """
    SELECT * FROM jobs INDEXED BY jobs_active_user WHERE user_key = ? AND status IN ('queued', 'running')
    ORDER BY created_at, id
"""
UNDELIVERED = """
    SELECT * FROM jobs WHERE door = ? AND finished_at IS NOT NULL AND delivered_at IS NULL ORDER BY finished_at, id
"""
BY_REQUEST_KEY = "SELECT * FROM jobs WHERE user_key = ? AND json_extract(origin, '$.request_key') = ?"
RECENT = "SELECT * FROM jobs WHERE user_key = ? ORDER BY created_at DESC, id DESC LIMIT ?"
_COLUMNS = {"is_private": "json_extract(origin, '$.private')", "door": "door"}
_VISIBLE = LISTED.format(owner="user_key", **_COLUMNS)
_VISIBLE_IN_ROOMS = f"({_VISIBLE} OR {IN_ROOMS.format(channel='channel_id', **_COLUMNS)})"
_BEFORE = "(created_at, id) < (SELECT created_at, id FROM jobs WHERE id = :before)"
_NEWEST = "ORDER BY created_at DESC, id DESC LIMIT :limit"
STREAM = f"SELECT * FROM jobs WHERE {_VISIBLE} AND {_BEFORE} {_NEWEST}"  # noqa: S608  # parts of our own
_OWN = f"SELECT id FROM jobs INDEXED BY jobs_user WHERE user_key = :person AND {_BEFORE} {_NEWEST}"  # noqa: S608
_OPEN = f"""
    SELECT id FROM jobs INDEXED BY jobs_door
    WHERE door = 'api' AND :is_here AND json_extract(origin, '$.private') = 0 AND {_BEFORE} {_NEWEST}
"""  # noqa: S608
OWN_AND_OPEN = f"""
    SELECT * FROM jobs WHERE id IN (SELECT id FROM ({_OWN}) UNION SELECT id FROM ({_OPEN})) {_NEWEST}
"""  # noqa: S608  # what `STREAM` finds for who sees not all: two short ways instead of one through everybody's jobs
NAMED_BY_ENDED = """
    SELECT j.id, json_extract(i.value, '$.media_id') AS media_id
    FROM jobs AS j LEFT JOIN json_each(j.result, '$.images') AS i
    WHERE j.id IN (SELECT value FROM json_each(?)) AND j.finished_at IS NOT NULL
"""
COUNT_BY_STATUS = "SELECT status, COUNT(*) AS jobs FROM jobs GROUP BY status"
REMOTE_IDS = "SELECT remote_id FROM jobs WHERE lane = ? AND created_at > ? AND remote_id IS NOT NULL"


class JobReader:
    """Reads jobs; a row that cannot be read is passed over."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box
        self._rows = RowReader("jobs")

    async def by_request_key(self, user_key: str, request_key: str) -> Job | None:
        return self._first(await self._database.fetch(BY_REQUEST_KEY, (user_key, request_key)))

    async def get(self, job_id: str) -> Job | None:
        return self._first(await self._database.fetch(GET, (job_id,)))

    async def find(self, prefix: str) -> Job | None:
        """Return the job whose id is or begins with `prefix`, unless several do."""
        if not prefix:
            return None
        rows = await self._database.fetch(FIND, {"first": prefix, "after": prefix + chr(0x10FFFF)})
        rows = rows or await self._database.fetch(FIND_AFTER_STAMP, {"prefix": prefix, "chars": len(prefix)})
        return self._first(rows) if len(rows) == 1 or (rows and rows[0]["id"] == prefix) else None

    async def due_in(self, message_ids: list[str]) -> list[Job]:
        """Return the jobs shown in these messages of ours that are active, or ended and not delivered; in no order."""
        return self._all(await self._database.fetch(DUE_IN, (to_json(message_ids),)))

    async def in_message(self, message_id: str) -> list[Job]:
        """Return all jobs that a message of ours shows, newest first."""
        return self._all(await self._database.fetch(IN_MESSAGE, (message_id,)))

    async def active_at(self, door: str) -> list[Job]:
        """Return what is queued or running of one door, in the order it was asked for."""
        return self._all(await self._database.read(ACTIVE_AT, (door,)))

    async def running_at(self, door: str) -> list[Job]:
        """Return what is running of one door."""
        return self._all(await self._database.fetch(RUNNING_AT, (door,)))

    async def active_on(self, lane: str) -> list[str]:
        """Return the ids of what waits for an engine or runs there."""
        return [row["id"] for row in await self._database.fetch(ACTIVE_ON, (lane,))]

    async def unshown_at(self, door: str, now: datetime) -> list[Job]:
        """Return the queued jobs of one door that no message shows, or that can be answered in place for a while."""
        return self._all(await self._database.read(UNSHOWN_AT, {"door": door, "now": to_epoch(now)}))

    async def grouped_at(self, door: str) -> list[Job]:
        """Return what is queued or running of one door and shares an answer."""
        return self._all(await self._database.read(GROUPED_AT, (door,)))

    async def active_for(self, user_key: str) -> list[Job]:
        return self._all(await self._database.fetch(ACTIVE_FOR, (user_key,)))

    async def recent(self, user_key: str, limit: int) -> list[Job]:
        """Return the newest `limit` jobs of a person, newest first."""
        return self._all(await self._database.fetch(RECENT, (user_key, limit)))

    async def stream(self, person: Person, *, limit: int, before: str) -> list[Job]:
        """Return what a person finds in lists, newest first, older than `before` ("" = newest)."""
        values = listing(person) | {"limit": limit, "before": before}
        return self._all(await self._database.read(_stream(person, before), values))

    async def undelivered(self, door: str) -> list[Job]:
        """Return the finished jobs whose answer has not reached its door, oldest first."""
        return self._all(await self._database.fetch(UNDELIVERED, (door,)))

    async def named_by_ended(self, job_ids: Sequence[str]) -> dict[str, set[str]]:
        """Return the ids of the pictures in the results of those of these jobs that have ended."""
        named: dict[str, set[str]] = {}
        for row in await self._database.fetch(NAMED_BY_ENDED, (to_json(list(job_ids)),)):
            media_ids = named.setdefault(row["id"], set())
            if row["media_id"] is not None:
                media_ids.add(row["media_id"])
        return named

    async def count_by_status(self) -> dict[JobStatus, int]:
        """Return a number for every status, 0 included."""
        counts = {row["status"]: row["jobs"] for row in await self._database.read(COUNT_BY_STATUS)}
        return {status: counts.get(status, 0) for status in JobStatus}

    async def remote_ids(self, lane: str, since: datetime) -> set[str]:
        """Return the engine's own ids of the jobs of a lane that were made since then."""
        return {row["remote_id"] for row in await self._database.read(REMOTE_IDS, (lane, since.timestamp()))}

    def _tickets(self, rows: list[Row]) -> tuple[list[Ticket], set[str]]:
        """Return the places in line, and the ids of rows that say none."""
        tickets = self._rows.read(rows, row_to_ticket)
        is_whole = len(tickets) == len(rows)
        return tickets, set() if is_whole else {row["id"] for row in rows} - {ticket.id for ticket in tickets}

    def _first(self, rows: list[Row]) -> Job | None:
        return next(iter(self._all(rows[:1])), None)

    def _all(self, rows: list[Row]) -> list[Job]:
        return self._rows.read(rows, lambda row: row_to_job(row, self._box))  # type: ignore[arg-type]


def _stream(person: Person, before: str) -> str:
    if person.rooms:
        sql = STREAM.replace(_VISIBLE, _VISIBLE_IN_ROOMS)
    else:
        sql = STREAM if listing(person)["sees_all"] else OWN_AND_OPEN
    return sql if before else sql.replace(_BEFORE, "1")
