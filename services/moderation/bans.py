"""Bans: somebody asks for no more pictures in a server, at whatever door, until a time or until it is lifted."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from generation.errors import Barred, NotAllowed, RequestRejected
from generation.foreign import clean_line
from generation.job import JobError, Origin
from generation.person import Person
from lazy import dataclass, pattern
from queue_manager import QueueManager
from services.moderation.audit import AuditAction, AuditService
from services.moderation.notices import NoticeKind, NoticeService
from services.moderation.rights import Rights
from store.audit import AuditEntry
from store.bans import Ban as Ban
from store.bans import BanStore
from store.database import NothingThere, Write
from store.jobs import JobStore
from texts.text import _
from utils.clock import Clock

MAX_REASON_CHARS: Final = 300
MOST_DAYS: Final = 3650
_DURATION: Final = pattern(r"(\d{1,6})\s*(m|min|h|d|w)")
_UNIT: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
BY_MODERATOR: Final = "by_moderator"  # the code of what ended a job

HomesOf = Callable[[Origin], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class BanWrites:
    """The statement that stores a ban, and its line in the audit."""

    entry: AuditEntry
    setting: Write


class BanService:
    """Sets, lifts, lists and checks them."""

    def __init__(
        self,
        store: BanStore,
        *,
        queue: QueueManager,
        jobs: JobStore,
        audit: AuditService,
        notices: NoticeService,
        rights: Rights,
        homes: HomesOf,
        clock: Clock,
    ) -> None:
        """Args beyond the plain ones.

        homes: the servers whose rules hold for a request: its own, or those that are at home here.
        """
        self._store = store
        self._queue = queue
        self._jobs = jobs
        self._audit = audit
        self._notices = notices
        self._rights = rights
        self._homes = homes
        self._clock = clock

    async def ban(
        self,
        person: Person,
        user_key: str,
        user_name: str,
        reason: str,
        duration: str = "",
        *,
        is_manager: bool = False,
    ) -> tuple[Ban, int]:
        """Ban somebody from the server that `person` moderates; return the ban and how many jobs it cancelled.

        Args:
            person: who bans.
            user_key: whom.
            user_name: as people know them.
            reason: they read it.
            duration: "30m", "12h", "7d", "2w"; empty: until it is lifted.
            is_manager: they manage the server, or own this Easel.

        Raises:
            NotAllowed: `person` does not moderate here, or may not ban that one.
            RequestRejected: the reason or the duration makes no sense.
        """
        guild_id = await self._rights.check_moderator(person)
        ban, writes = self.made(person, guild_id, user_key, user_name, reason, duration, is_manager=is_manager)
        telling = self._notices.telling(
            NoticeKind.BANNED, guild_id=guild_id, user_key=user_key, reason=ban.reason, ends_at=_epoch(ban.ends_at)
        )
        await self._audit.record(writes.entry, writes.setting, telling)
        self._notices.wake()
        return ban, await self.cancel_jobs(ban)

    def made(
        self,
        person: Person,
        guild_id: str,
        user_key: str,
        user_name: str,
        reason: str,
        duration: str,
        *,
        is_manager: bool,
    ) -> tuple[Ban, "BanWrites"]:
        """Return a ban and what stores it, for the transaction of a moderator's decision; `cancel_jobs` follows.

        Raises:
            NotAllowed, RequestRejected: as `ban`.
        """
        self._check_target(person, user_key, is_manager=is_manager)
        reason, now = clean_line(reason).strip(), self._clock.now()
        if not reason:
            raise RequestRejected(_("Say why: they read the reason."), field="reason")
        ban = Ban(
            guild_id=guild_id,
            user_key=user_key,
            user_name=user_name,
            reason=reason[:MAX_REASON_CHARS],
            actor=person.user_key,
            actor_name=person.name,
            created_at=now,
            ends_at=read_end(duration, now),
        )
        details = _("until {end}", end=f"{ban.ends_at:%Y-%m-%d %H:%M} UTC") if ban.ends_at else ""
        entry = self._audit.entry(
            person, AuditAction.BAN, target=user_key, target_name=user_name, reason=ban.reason, details=details
        )
        return ban, BanWrites(entry=entry, setting=self._store.setting(ban))

    async def unban(self, person: Person, user_key: str, reason: str = "") -> None:
        """Lift a ban; whose it was is told.

        Raises:
            NotAllowed: `person` does not moderate here.
            RequestRejected: there is none.
        """
        guild_id = await self._rights.check_moderator(person)
        entry = self._audit.entry(person, AuditAction.UNBAN, target=user_key, reason=reason)
        telling = self._notices.telling(NoticeKind.UNBANNED, guild_id=guild_id, user_key=user_key)
        try:
            await self._audit.record(entry, self._store.lifting(guild_id, user_key, self._clock.now()), telling)
        except NothingThere as error:
            raise RequestRejected(_("This person is not banned here."), hint=_("`/bans` lists who is.")) from error
        self._notices.wake()

    async def bans(self, person: Person) -> list[Ban]:
        """Return the bans of the server that somebody moderates, newest first.

        Raises:
            NotAllowed: they do not.
        """
        return await self._store.of_guild(await self._rights.check_moderator(person), self._clock.now())

    async def check(self, origin: Origin) -> None:
        """Refuse a request of somebody who is banned where it comes from.

        Raises:
            Barred: with the reason and the end.
        """
        bans = await self._store.of_person(origin.user_key, self._clock.now())
        if bans:
            homes = self._homes(origin)
            for ban in bans:
                if ban.guild_id in homes:
                    raise barred(ban)

    async def prune(self) -> None:
        await self._store.prune(self._clock.now())

    def _check_target(self, person: Person, user_key: str, *, is_manager: bool) -> None:
        if user_key == person.user_key:
            raise NotAllowed(_("You cannot ban yourself."))
        target = Person(user_key=user_key)
        if (is_manager or self._rights.is_admin(target)) and not self._rights.is_admin(person):
            raise NotAllowed(_("They manage this server or this bot, so they cannot be banned here."))

    async def cancel_jobs(self, ban: Ban) -> int:
        """Cancel what a banned person waits for in this server; their messages there say so."""
        why = JobError(code=BY_MODERATOR, user_message=_("Cancelled by a moderator."))
        cancelled = 0
        for job in await self._jobs.active_for(ban.user_key):
            if ban.guild_id in self._homes(job.origin):
                cancelled += await self._queue.cancel(job.id, why) is not None
        return cancelled


def barred(ban: Ban) -> Barred:
    """Return the refusal that somebody who is banned reads."""
    if ban.ends_at is None:
        text = _("You cannot ask for pictures in this server: {reason:phrase}.", reason=ban.reason)
    else:
        text = _(
            "You cannot ask for pictures in this server until {end}: {reason:phrase}.",
            end=f"{ban.ends_at:%d %B %Y, %H:%M} UTC",
            reason=ban.reason,
        )
    return Barred(text, hint=_("A moderator of the server can lift it."))


def read_end(duration: str, now: datetime) -> datetime | None:
    """Return when a ban of that duration ends; None: it has no end.

    Raises:
        RequestRejected: it is none.
    """
    if not duration.strip():
        return None
    match = _DURATION.fullmatch(duration.strip().casefold())
    span = timedelta(**{_UNIT[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < span <= timedelta(days=MOST_DAYS):
        raise RequestRejected(
            _("“{duration}” is no duration: write 30m, 12h, 7d or 2w.", duration=duration),
            field="duration",
            hint=_("Leave it out for a ban without an end."),
        )
    return now + span


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
