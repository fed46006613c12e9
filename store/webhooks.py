"""Webhooks and the outbox of what is still to be told to them. Addresses are sealed: many carry a token.

Events of jobs come into the outbox by triggers on `jobs` (`store/migrations/012_outbox.sql`).
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import Any

from lazy import dataclass
from store.database import Database
from texts.text import _
from utils.secrets import SecretBox, SecretLost

log = logging.getLogger(__name__)

SAVE_HOOK = """
    INSERT INTO webhooks (id, job_id, url, events, created_at) VALUES (:id, :job_id, :url, :events, :created_at)
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events
"""
ANY = "SELECT 1 FROM webhooks LIMIT 1"
DROP_HOOK = "DELETE FROM webhooks WHERE id = ?"
ADD = """
    INSERT INTO webhook_outbox (id, hook_id, job_id, event, body, failures, created_at, due_at, answer)
    SELECT :id, id, '', :event, :body, 0, :now, :now, '' FROM webhooks WHERE id = :hook_id
"""
# The events of a job reach a hook in their order: later ones wait until the earlier are delivered or given up.
FIRST_OF_ITS_JOB = """
    NOT EXISTS (SELECT 1 FROM webhook_outbox AS e WHERE e.hook_id = d.hook_id AND e.job_id = d.job_id
        AND e.job_id != '' AND e.due_at IS NOT NULL AND e.seq < d.seq)
"""
DUE = f"""
    SELECT d.*, w.url, w.job_id = '' AS is_owners FROM webhook_outbox AS d JOIN webhooks AS w ON w.id = d.hook_id
    WHERE d.due_at <= :now AND d.id NOT IN (SELECT value FROM json_each(:without))
        AND d.hook_id NOT IN (SELECT value FROM json_each(:resting)) AND {FIRST_OF_ITS_JOB}
    ORDER BY d.due_at, d.seq LIMIT :limit
"""  # noqa: S608
NEXT_DUE = f"""
    SELECT d.due_at FROM webhook_outbox AS d WHERE d.due_at IS NOT NULL
        AND d.id NOT IN (SELECT value FROM json_each(?)) AND {FIRST_OF_ITS_JOB} ORDER BY d.due_at, d.seq LIMIT 1
"""  # noqa: S608
AGAIN = """
    UPDATE webhook_outbox SET due_at = max(due_at, :due_at), failures = failures + (seq = :seq),
        answer = iif(seq = :seq, :answer, answer)
    WHERE hook_id = :hook_id AND job_id = :job_id AND (seq = :seq OR seq > :seq AND job_id != '') AND due_at IS NOT NULL
"""
END = "UPDATE webhook_outbox SET body = '', due_at = NULL, answer = :answer WHERE seq = :seq"
PRUNE = "DELETE FROM webhook_outbox WHERE due_at IS NULL AND created_at <= ?"
PRUNE_WAITING = """
    DELETE FROM webhook_outbox WHERE due_at IS NOT NULL AND seq <= (
        SELECT seq FROM webhook_outbox WHERE due_at IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET ?) RETURNING id
"""
PRUNE_HOOKS = """
    DELETE FROM webhooks WHERE job_id != '' AND created_at <= ? AND id NOT IN (SELECT hook_id FROM webhook_outbox)
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
class WebhookDelivery:
    """One event that is due. `failures`: how often it could not be delivered; `is_owners`: to the hook of settings.

    `body` is empty where it is written from the job.
    """

    seq: int
    id: str
    hook_id: str
    job_id: str
    url: str = field(repr=False)
    event: str
    body: str = field(repr=False)
    failures: int
    created_at: float  # UTC epoch seconds, when it happened
    is_owners: bool = False


def hook_to_row(hook: Hook, box: SecretBox) -> dict[str, Any]:
    """Return the values of `SAVE_HOOK`."""
    return {
        "id": hook.id,
        "job_id": hook.job_id,
        "url": box.seal(hook.url),
        "events": " ".join(sorted(hook.events)),
        "created_at": hook.created_at.timestamp(),
    }


class WebhookStore:
    """The tables `webhooks` and `webhook_outbox`."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def save_hook(self, hook: Hook) -> None:
        """Store a hook; one with the same id gets the new address and events."""
        await self._database.write(SAVE_HOOK, hook_to_row(hook, self._box))

    async def drop_hook(self, hook_id: str) -> None:
        """Forget a hook and what it was still to be told."""
        await self._database.write(DROP_HOOK, (hook_id,))

    async def has_any(self) -> bool:
        """Return whether somebody is to be told of jobs; what is still to be told goes with its hook."""
        return bool(await self._database.fetch(ANY))

    async def add(self, delivery_id: str, hook_id: str, *, event: str, body: str, now: datetime) -> None:
        """Commit an event that is about no job; without such a hook nothing is written."""
        values = {"id": delivery_id, "hook_id": hook_id, "event": event, "body": body, "now": now.timestamp()}
        await self._database.write(ADD, values)

    async def due(
        self, now: datetime, limit: int, *, without: Iterable[str] = (), resting: Iterable[str] = ()
    ) -> list[WebhookDelivery]:
        """Return what is to be sent now, the longest due first; what cannot be read any more is given up.

        `without`: ids of deliveries that are on their way. `resting`: ids of hooks that get nothing more just now.
        """
        found = []
        values: dict[str, Any] = {"now": now.timestamp(), "limit": limit}
        values |= {"without": json.dumps(list(without)), "resting": json.dumps(list(resting))}
        for row in await self._database.fetch(DUE, values):
            try:
                url = self._box.unseal(row["url"])
            except SecretLost as error:
                log.warning("webhook given up: %s", error, extra={"action": "secret_lost", "id": row["id"]})
                await self.end(row["seq"], _("secret lost"))
                continue
            found.append(
                WebhookDelivery(
                    seq=row["seq"],
                    id=row["id"],
                    hook_id=row["hook_id"],
                    job_id=row["job_id"],
                    url=url,
                    event=row["event"],
                    body=row["body"],
                    failures=row["failures"],
                    created_at=row["created_at"],
                    is_owners=bool(row["is_owners"]),
                )
            )
        return found

    async def next_due(self, *, without: Iterable[str] = ()) -> float | None:
        """Return when the next delivery is due, in UTC epoch seconds; None if there is none."""
        rows = await self._database.fetch(NEXT_DUE, (json.dumps(list(without)),))
        return float(rows[0]["due_at"]) if rows else None

    async def again(self, delivery: WebhookDelivery, *, due_at: float, answer: str) -> None:
        """Note a failure, and when to try again; what follows of the same job waits as long."""
        values = {"hook_id": delivery.hook_id, "job_id": delivery.job_id, "seq": delivery.seq}
        await self._database.write(AGAIN, {**values, "due_at": due_at, "answer": answer})

    async def end(self, seq: int, answer: str) -> None:
        """Note that it was delivered or given up; its body is forgotten."""
        await self._database.write(END, {"seq": seq, "answer": answer})

    async def prune(self, before: datetime, *, most_waiting: int) -> int:
        """Forget old deliveries that have ended, and the hooks of jobs that need them no more.

        Of what waits only the newest `most_waiting` are kept; return how many were given up so.
        """
        await self._database.write(PRUNE, (before.timestamp(),))
        given_up = await self._database.write(PRUNE_WAITING, (most_waiting,))
        await self._database.write(PRUNE_HOOKS, (before.timestamp(),))
        return len(given_up)
