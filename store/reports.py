"""The tables `reports` and `report_reasons`: pictures that people have reported, and what was decided."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from lazy import dataclass
from store.database import Database, Must, NothingThere, Row, Write
from store.job_rows import from_epoch, to_epoch
from store.rows import RowReader

ADD: Final = """
    INSERT INTO reports (id, guild_id, channel_id, message_id, job_id, owner, owner_name, created_at, state)
    VALUES (:id, :guild_id, :channel_id, :message_id, :job_id, :owner, :owner_name, :created_at, 'open')
    ON CONFLICT (job_id) DO NOTHING
"""
ADD_REASON: Final = """
    INSERT INTO report_reasons (report_id, reporter, reporter_name, reason, created_at)
    SELECT id, :reporter, :reporter_name, :reason, :created_at FROM reports WHERE job_id = :job_id AND state = 'open'
    ON CONFLICT DO NOTHING RETURNING report_id
"""
GET: Final = "SELECT * FROM reports WHERE id = ?"
OF_JOB: Final = "SELECT * FROM reports WHERE job_id = ?"
REASONS: Final = "SELECT * FROM report_reasons WHERE report_id = ? ORDER BY created_at, reporter"
EARLIER: Final = """
    SELECT state, count(*) AS reports FROM reports WHERE guild_id = :guild_id AND owner = :owner AND id <> :id
    GROUP BY state
"""
SINCE: Final = "SELECT count(*) AS reports FROM report_reasons WHERE reporter = ? AND created_at > ?"
DECIDE: Final = """
    UPDATE reports SET state = :state, decided_by = :actor, decided_by_name = :actor_name, decided_at = :now
    WHERE id = :id AND state = 'open' RETURNING id
"""
APPEAL: Final = """
    UPDATE reports SET appeal = :appeal, appealed_at = :now, appeal_state = 'open'
    WHERE id = :id AND owner = :owner AND state IN ('removed', 'warned', 'banned') AND appeal_state = '' RETURNING id
"""
JUDGE: Final = "UPDATE reports SET appeal_state = :state WHERE id = :id AND appeal_state = 'open' RETURNING id"
SET_CARD: Final = "UPDATE reports SET card_channel_id = ?, card_message_id = ? WHERE id = ?"
PRUNE: Final = "DELETE FROM reports WHERE state <> 'open' AND appeal_state <> 'open' AND decided_at < ?"


class ReportState(StrEnum):
    """The decisions about a report."""

    OPEN = "open"
    REMOVED = "removed"  # the picture
    WARNED = "warned"  # its owner; the picture stays
    BANNED = "banned"  # its owner; the picture is removed
    DISMISSED = "dismissed"


class AppealState(StrEnum):
    """The decisions about an appeal."""

    NONE = ""
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"


class Decided(NothingThere):
    """Somebody else was quicker."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A picture that was reported: where it stands, whose it is, and what was decided."""

    id: str
    guild_id: str
    channel_id: str
    message_id: str
    job_id: str
    owner: str
    owner_name: str
    created_at: datetime
    state: ReportState = ReportState.OPEN
    decided_by: str = ""
    decided_by_name: str = ""
    decided_at: datetime | None = None
    appeal: str = ""
    appealed_at: datetime | None = None
    appeal_state: AppealState = AppealState.NONE
    card_channel_id: str = ""
    card_message_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportReason:
    """The words of one person who reported it."""

    report_id: str
    reporter: str
    reporter_name: str
    reason: str
    created_at: datetime


class ReportStore:
    """Each method is one statement; those that return a `Write` are parts of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("reports")

    def adding(self, report: Report) -> Write:
        """Return what stores a report, unless there is one of that picture."""
        values = asdict(report) | {"created_at": to_epoch(report.created_at)}
        names = ("id", "guild_id", "channel_id", "message_id", "job_id", "owner", "owner_name", "created_at")
        return ADD, {name: values[name] for name in names}

    def adding_reason(self, job_id: str, reporter: str, name: str, reason: str, now: datetime) -> Write:
        """Return what adds somebody's words to the report of a picture, which must be open and have none of theirs."""
        values = {"job_id": job_id, "reporter": reporter, "reporter_name": name, "reason": reason}
        return Must(ADD_REASON, values | {"created_at": to_epoch(now)}, Decided)

    def deciding(self, report_id: str, state: ReportState, actor: str, actor_name: str, now: datetime) -> Write:
        """Return what decides a report that is open."""
        values = {"id": report_id, "state": state.value, "actor": actor, "actor_name": actor_name}
        return Must(DECIDE, values | {"now": to_epoch(now)}, Decided)

    def appealing(self, report_id: str, owner: str, appeal: str, now: datetime) -> Write:
        """Return what stores the one appeal of the picture's owner."""
        return Must(APPEAL, {"id": report_id, "owner": owner, "appeal": appeal, "now": to_epoch(now)}, Decided)

    def judging(self, report_id: str, state: AppealState) -> Write:
        """Return what decides an appeal that is open."""
        return Must(JUDGE, {"id": report_id, "state": state.value}, Decided)

    async def get(self, report_id: str) -> Report | None:
        return self._first(await self._database.fetch(GET, (report_id,)))

    async def of_job(self, job_id: str) -> Report | None:
        return self._first(await self._database.fetch(OF_JOB, (job_id,)))

    async def reasons(self, report_id: str) -> list[ReportReason]:
        return self._rows.read(await self._database.fetch(REASONS, (report_id,)), _reason)

    async def earlier(self, report: Report) -> Mapping[str, int]:
        """Return how other reports of that person's pictures in this server ended, by state."""
        values = {"guild_id": report.guild_id, "owner": report.owner, "id": report.id}
        return {row["state"]: row["reports"] for row in await self._database.fetch(EARLIER, values)}

    async def count_since(self, reporter: str, since: datetime) -> int:
        """Return how many pictures somebody has reported since then."""
        count: int = (await self._database.fetch(SINCE, (reporter, to_epoch(since))))[0]["reports"]
        return count

    async def set_card(self, report_id: str, *, channel_id: str, message_id: str) -> None:
        """Note which message shows it to the moderators."""
        await self._database.write(SET_CARD, (channel_id, message_id, report_id))

    async def prune(self, before: datetime) -> None:
        """Delete those that were decided before then."""
        await self._database.write(PRUNE, (to_epoch(before),))

    def _first(self, rows: list[Row]) -> Report | None:
        return next(iter(self._rows.read(rows[:1], _report)), None)


def _report(row: Row) -> Report:
    times: dict[str, Any] = {name: from_epoch(row[name]) for name in ("created_at", "decided_at", "appealed_at")}
    states = {"state": ReportState(row["state"]), "appeal_state": AppealState(row["appeal_state"])}
    return Report(**{**dict(row), **times, **states})


def _reason(row: Row) -> ReportReason:
    return ReportReason(**{**dict(row), "created_at": from_epoch(row["created_at"])})
