"""Webhooks and what is still to be delivered to them. Addresses are sealed: many carry a token."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from store.database import Database, Row
from utils.secrets import SecretBox, SecretLost

log = logging.getLogger(__name__)

SAVE_HOOK = """
    INSERT INTO webhooks (id, job_id, url, events, created_at) VALUES (:id, :job_id, :url, :events, :created_at)
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events
"""
HOOKS_OF = "SELECT * FROM webhooks WHERE job_id IN ('', ?) ORDER BY created_at, id"
HOOKED_JOBS = "SELECT DISTINCT job_id FROM webhooks"
DROP_HOOK = "DELETE FROM webhooks WHERE id = ?"
ADD = """
    INSERT OR IGNORE INTO webhook_deliveries (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
    VALUES (:id, :hook_id, :job_id, :event, :body, 0, :now, :now, '')
"""
DUE = """
    SELECT d.id, d.event, d.body, d.failures, d.job_id, w.url, w.job_id = '' AS is_owners FROM webhook_deliveries AS d
    JOIN webhooks AS w ON w.id = d.hook_id WHERE d.due_at <= ? ORDER BY d.due_at, d.rowid LIMIT ?
"""
NEXT_DUE = "SELECT MIN(due_at) AS due_at FROM webhook_deliveries WHERE due_at IS NOT NULL"
AGAIN = "UPDATE webhook_deliveries SET failures = :failures, due_at = :due_at, answer = :answer WHERE id = :id"
END = "UPDATE webhook_deliveries SET body = '', due_at = NULL, answer = :answer WHERE id = :id"
# Jobs that ended while nobody could note it. A delivery of any end counts: a job ends once.
MISSED = """
    SELECT DISTINCT j.id FROM jobs AS j JOIN webhooks AS w ON w.job_id IN ('', j.id)
    WHERE j.finished_at > :since AND j.finished_at >= w.created_at AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries AS d WHERE d.hook_id = w.id AND d.job_id = j.id AND d.event != 'queued')
    ORDER BY j.finished_at
"""
PRUNE_DELIVERIES = "DELETE FROM webhook_deliveries WHERE due_at IS NULL AND created_at <= ?"
PRUNE_HOOKS = """
    DELETE FROM webhooks WHERE job_id != '' AND created_at <= ? AND id NOT IN (SELECT hook_id FROM webhook_deliveries)
        AND job_id NOT IN (SELECT id FROM jobs WHERE status IN ('queued', 'running'))
"""


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One address that wants to hear of jobs; of every job if `job_id` is empty."""

    id: str
    job_id: str = ""
    url: str = field(repr=False)
    events: frozenset[str]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """One event for one hook, to be committed before it is sent."""

    id: str
    hook_id: str
    job_id: str
    event: str
    body: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event that is due. `failures`: how often it could not be delivered; `is_owners`: to the hook of settings."""

    id: str
    job_id: str
    url: str = field(repr=False)
    event: str
    body: str = field(repr=False)
    failures: int
    is_owners: bool = False


class WebhookStore:
    """The tables `webhooks` and `webhook_deliveries`."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def save_hook(self, hook: Hook) -> None:
        """Store a hook; one with the same id gets the new address and events."""
        values = {
            "id": hook.id,
            "job_id": hook.job_id,
            "url": self._box.seal(hook.url),
            "events": " ".join(sorted(hook.events)),
            "created_at": hook.created_at.timestamp(),
        }
        await self._database.write(SAVE_HOOK, values)

    async def drop_hook(self, hook_id: str) -> None:
        """Forget a hook and what it was still to be told."""
        await self._database.write(DROP_HOOK, (hook_id,))

    async def hooks_of(self, job_id: str) -> list[Hook]:
        """Return the hooks that want to hear of this job, those of every job included."""
        return self._readable(await self._database.fetch(HOOKS_OF, (job_id,)))

    async def hooked_jobs(self) -> set[str]:
        """Return the ids of jobs that have hooks; "" stands for every job."""
        return {row["job_id"] for row in await self._database.fetch(HOOKED_JOBS)}

    async def add(self, deliveries: Iterable[NewDelivery], now: datetime) -> None:
        """Commit what is to be sent, all or nothing; an event that a hook has been told of is passed over."""
        async with self._database.transaction():
            for delivery in deliveries:
                values = {
                    "id": delivery.id,
                    "hook_id": delivery.hook_id,
                    "job_id": delivery.job_id,
                    "event": delivery.event,
                    "body": delivery.body,
                    "now": now.timestamp(),
                }
                await self._database.write(ADD, values)

    async def due(self, now: datetime, limit: int) -> list[Delivery]:
        """Return what is to be sent now, the longest due first; what cannot be read any more is given up."""
        found = []
        for row in await self._database.fetch(DUE, (now.timestamp(), limit)):
            try:
                url = self._box.unseal(row["url"])
            except SecretLost as error:
                log.warning("webhook given up: %s", error, extra={"action": "secret_lost", "id": row["id"]})
                await self.end(row["id"], "secret lost")
                continue
            found.append(
                Delivery(
                    id=row["id"],
                    job_id=row["job_id"],
                    url=url,
                    event=row["event"],
                    body=row["body"],
                    failures=row["failures"],
                    is_owners=bool(row["is_owners"]),
                )
            )
        return found

    async def next_due(self) -> float | None:
        """Return when the next delivery is due, in UTC epoch seconds; None if there is none."""
        due_at: float | None = (await self._database.fetch(NEXT_DUE))[0]["due_at"]
        return due_at

    async def again(self, delivery_id: str, *, failures: int, due_at: float, answer: str) -> None:
        """Note a failure, and when to try again."""
        values = {"id": delivery_id, "failures": failures, "due_at": due_at, "answer": answer}
        await self._database.write(AGAIN, values)

    async def end(self, delivery_id: str, answer: str) -> None:
        """Note that it was delivered or given up; its body is forgotten."""
        await self._database.write(END, {"id": delivery_id, "answer": answer})

    async def missed(self, since: datetime) -> list[str]:
        """Return jobs that have ended since then and of whose end some hook was never to be told."""
        return [row["id"] for row in await self._database.fetch(MISSED, {"since": since.timestamp()})]

    async def prune(self, before: datetime) -> None:
        """Forget old deliveries that have ended, and the hooks of jobs that need them no more."""
        await self._database.write(PRUNE_DELIVERIES, (before.timestamp(),))
        await self._database.write(PRUNE_HOOKS, (before.timestamp(),))

    def _readable(self, rows: Iterable[Row]) -> list[Hook]:
        hooks = []
        for row in rows:
            try:
                hooks.append(self._read(row))
            except SecretLost as error:
                log.warning("webhook left out: %s", error, extra={"action": "secret_lost", "id": row["id"]})
        return hooks

    def _read(self, row: Row) -> Hook:
        return Hook(
            id=row["id"],
            job_id=row["job_id"],
            url=self._box.unseal(row["url"]),
            events=frozenset(row["events"].split()),
            created_at=datetime.fromtimestamp(row["created_at"], UTC),
        )
