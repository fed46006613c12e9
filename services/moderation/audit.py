"""The audit: what moderators and admins did, written with what it records, and read by those who may."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from generation.errors import NotAllowed
from generation.job import Job
from generation.person import Person
from services.moderation.rights import Rights
from store.audit import AuditEntry as AuditEntry
from store.audit import AuditStore
from store.database import Write
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

PAGE_ENTRIES: Final = 10


Moderated = Callable[[Person, Job, str], Awaitable[None]]  # told what somebody did to a job: "cancel" or "delete"


async def nobody_moderates(person: Person, job: Job, action: str) -> None:
    """Note nothing: there is no audit."""


class AuditAction(StrEnum):
    """The actions; a closed list, so that they can be searched."""

    BAN = "ban"
    UNBAN = "unban"
    REPORT = "report"
    REMOVE = "remove"  # a picture that was reported
    WARN = "warn"
    DISMISS = "dismiss"  # a report
    APPEAL = "appeal"
    GRANT = "grant"  # an appeal
    REFUSE = "refuse"  # an appeal
    CANCEL = "cancel"  # jobs of somebody else, or of an engine
    DELETE = "delete"  # pictures of somebody else
    PAUSE = "pause"  # an engine
    DRAIN = "drain"
    RESUME = "resume"
    CAPS = "caps"
    SETUP = "setup"
    MODELS = "models"  # of the engine inside
    RELOAD = "reload"  # of the settings


class AuditService:
    """Others give it what they do; `page` shows it."""

    def __init__(self, store: AuditStore, rights: Rights, clock: Clock, *, ttl_s: float) -> None:
        self._store = store
        self._rights = rights
        self._clock = clock
        self._ttl = timedelta(seconds=ttl_s)

    def entry(self, person: Person, action: AuditAction, **more: Any) -> AuditEntry:
        """Return an entry about what a person does now, where they are; `more` says on whom, on what and why."""
        values: dict[str, Any] = {
            "guild_id": person.guild_id or "",
            "channel_id": person.channel_id or "",
            "actor": person.user_key,
            "actor_name": person.name,
        }
        return AuditEntry(at=self._clock.now(), action=action.value, **values | more)

    async def record(self, entry: AuditEntry, *writes: Write) -> None:
        """Write an entry and, in the same transaction, what it records.

        Raises:
            NothingThere: what one of `writes` must change is not there; nothing is written.
        """
        await self._store.write_all([*writes, self._store.adding(entry)])
        extra = {"action": "moderated", "what": entry.action, "guild": entry.guild_id, "subject": entry.subject}
        log.info("moderated: %s", entry.action, extra=extra)

    def recording(self, entry: AuditEntry) -> Write:
        """Return what writes an entry, for a transaction of somebody else's."""
        return self._store.adding(entry)

    async def note(self, person: Person, job: Job, action: str) -> None:
        """Record what a moderator or an admin did to somebody else's job; what people do to their own is theirs."""
        if person.user_key != job.user_key:
            more = {"target": job.user_key, "target_name": job.origin.user_name, "subject": job.short_id}
            guild_id = job.origin.guild_id or person.guild_id or ""
            await self.record(self.entry(person, AuditAction(action), guild_id=guild_id, **more))

    async def page(
        self, person: Person, *, about: str = "", action: str = "", before: int = 0
    ) -> tuple[Sequence[AuditEntry], bool]:
        """Return entries, newest first, and whether there are older ones.

        Moderators read their server's; admins of this Easel also read what belongs to no server, in a direct message.

        Raises:
            NotAllowed: this person may read none.
        """
        if person.guild_id:
            guild_id = await self._rights.check_moderator(person)
        elif self._rights.is_admin(person):
            guild_id = ""
        else:
            raise NotAllowed(_("There is an audit for moderators of a server, and in a direct message for admins."))
        entries = await self._store.page(guild_id, person=about, action=action, before=before, limit=PAGE_ENTRIES + 1)
        return entries[:PAGE_ENTRIES], len(entries) > PAGE_ENTRIES

    async def prune(self) -> int:
        """Delete what is older than the audit is kept; return how many entries that were."""
        return await self._store.prune(self._clock.now() - self._ttl)
