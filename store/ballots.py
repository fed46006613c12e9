"""The tables `ballots` and `votes`: which of two pictures people like better, until the vote is over."""

from datetime import UTC, datetime
from typing import Final, Literal

from lazy import dataclass
from store.database import Database, Row, Write
from store.job_rows import to_epoch
from store.rows import RowReader

Side = Literal["a", "b"]
_COLUMNS: Final = """b.*, (SELECT count(*) FROM votes AS v WHERE v.ballot_id = b.id AND v.side = 'a') AS for_a,
    (SELECT count(*) FROM votes AS v WHERE v.ballot_id = b.id AND v.side = 'b') AS for_b"""
SAVE: Final = """
    INSERT INTO ballots (id, job_a, job_b, hours, created_at) VALUES (:id, :job_a, :job_b, :hours, :created_at)
"""
GET: Final = f"SELECT {_COLUMNS} FROM ballots AS b WHERE id = ?"  # noqa: S608  # parts of our own
DUE: Final = f"SELECT {_COLUMNS} FROM ballots AS b WHERE closes_at <= ? ORDER BY closes_at, id LIMIT 50"  # noqa: S608
OPEN: Final = "UPDATE ballots SET opened_at = :now, closes_at = :closes_at WHERE id = :id AND opened_at IS NULL"
CLOSE: Final = """
    UPDATE ballots SET closed_at = :now, closes_at = min(closes_at, :now)
    WHERE id = :id AND opened_at IS NOT NULL AND closed_at IS NULL RETURNING id
"""
VOTE: Final = """
    INSERT INTO votes (ballot_id, user_key, side)
    SELECT id, :user_key, :side FROM ballots WHERE id = :id AND closed_at IS NULL AND closes_at > :now
    ON CONFLICT (ballot_id, user_key) DO UPDATE SET side = excluded.side RETURNING side
"""
DROP: Final = "DELETE FROM ballots WHERE id = ?"
DROP_OF_JOB: Final = "DELETE FROM ballots WHERE :job_id IN (job_a, job_b)"


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """A vote on two pictures, and how many have voted for each so far."""

    id: str
    job_a: str
    job_b: str
    hours: float
    created_at: datetime
    opened_at: datetime | None = None
    closes_at: datetime | None = None
    closed_at: datetime | None = None
    for_a: int = 0
    for_b: int = 0

    @property
    def job_ids(self) -> tuple[str, str]:
        return self.job_a, self.job_b

    def is_open(self, now: datetime) -> bool:
        return self.closed_at is None and self.closes_at is not None and now < self.closes_at


class BallotStore:
    """Single statements, each one commit; `saving` is a part of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("ballots")

    def saving(self, ballot: Ballot) -> Write:
        return SAVE, {
            "id": ballot.id,
            "job_a": ballot.job_a,
            "job_b": ballot.job_b,
            "hours": ballot.hours,
            "created_at": to_epoch(ballot.created_at),
        }

    async def get(self, ballot_id: str) -> Ballot | None:
        found = self._rows.read(await self._database.fetch(GET, (ballot_id,)), _read)
        return found[0] if found else None

    async def due(self, now: datetime) -> list[Ballot]:
        """Return those whose time is over, and those that were ended early, the oldest first."""
        return self._rows.read(await self._database.fetch(DUE, (to_epoch(now),)), _read)

    async def open(self, ballot_id: str, now: datetime, closes_at: datetime) -> None:
        """Let people vote from now on, unless they do already."""
        values = {"id": ballot_id, "now": to_epoch(now), "closes_at": to_epoch(closes_at)}
        await self._database.write(OPEN, values)

    async def vote(self, ballot_id: str, user_key: str, side: Side, now: datetime) -> bool:
        """Note somebody's vote in place of their earlier one; False: the vote is over, or not begun."""
        values = {"id": ballot_id, "user_key": user_key, "side": side, "now": to_epoch(now)}
        return bool(await self._database.write(VOTE, values))

    async def close(self, ballot_id: str, now: datetime) -> bool:
        """Take no more votes; True for the one caller who ended it."""
        return bool(await self._database.write(CLOSE, {"id": ballot_id, "now": to_epoch(now)}))

    async def drop(self, ballot_id: str) -> None:
        """Delete a vote, with who voted for what."""
        await self._database.write(DROP, (ballot_id,))

    async def drop_of(self, job_id: str) -> None:
        await self._database.write(DROP_OF_JOB, {"job_id": job_id})


def _read(row: Row) -> Ballot:
    return Ballot(
        id=row["id"],
        job_a=row["job_a"],
        job_b=row["job_b"],
        hours=row["hours"],
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        opened_at=_moment(row["opened_at"]),
        closes_at=_moment(row["closes_at"]),
        closed_at=_moment(row["closed_at"]),
        for_a=row["for_a"],
        for_b=row["for_b"],
    )


def _moment(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
