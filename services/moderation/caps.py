"""Caps: what members of a server may ask for, by role and channel; who sets them, and who has what left today.

A cap is checked twice: before a request is taken in, to say what would be right, and in the transaction that takes it
in, so that requests that come at the same moment cannot be more together than each alone may be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from generation.caps import NAMES, Allowance, Cap, CapKind, Limits, OverCap, allowance_of, changed
from generation.errors import GenerationError, LimitReached
from generation.job import Job, Origin
from generation.person import Person
from generation.request import Draft, GenerationRequest
from lazy import dataclass
from services.moderation.audit import AuditAction, AuditService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from store.caps import CapStore
from store.database import Write
from texts.text import _, _n
from utils.clock import Clock
from utils.text import duration

KEPT_DAYS: Final = timedelta(days=2)
AGAIN_S: Final = 5.0
COUNTED: Final = frozenset({"daily", "waiting"})


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The allowance of somebody, what they have had today and what waits; `resets_at`: when the day ends."""

    allowance: Allowance
    used: int
    waiting: int
    resets_at: datetime

    @property
    def left(self) -> int | None:
        """Return how many pictures are left today; None: there is no limit."""
        most = self.allowance.most("daily")
        return None if most is None else max(0, most - self.used)


class CapService:
    """Reads a server's caps once and keeps them: this process alone writes them."""

    def __init__(self, store: CapStore, *, homes: Homes, rights: Rights, audit: AuditService, clock: Clock) -> None:
        self._store = store
        self._homes = homes
        self._rights = rights
        self._audit = audit
        self._clock = clock
        self._known: dict[str, list[Cap]] = {}

    # -- what holds for a request --------------------------------------------------------------------------------

    async def placed(self, origin: Origin) -> Origin:
        """Return an origin that knows the server whose caps hold for it, and the roles that count there.

        A direct message and the studio have those of the server at home where this person asked last, with the roles
        they had then; keys without a person of Discord have none.
        """
        if origin.guild_id or origin.house_id or not origin.user_key.startswith("discord:"):
            return origin
        at_home = list(self._homes.at_home)
        if not at_home:
            return origin
        guild_id, roles = await self._store.last_seen(origin.user_key, at_home) or (at_home[0], ())
        return replace(origin, house_id=guild_id, roles=roles)

    async def allowance(self, origin: Origin) -> Allowance:
        """Return what the person of a placed origin may ask for there."""
        house_id = origin.guild_id or origin.house_id
        if not house_id:
            return Allowance(guild_id="", limits={})
        return allowance_of(house_id, await self._caps(house_id), origin.roles, origin.places)

    async def quota(self, origin: Origin) -> Quota:
        """Return what somebody has left, where they are."""
        return await self._quota(await self.placed(origin))

    async def check_amounts(self, origin: Origin, request: GenerationRequest, pending: Sequence[Job]) -> None:
        """Refuse pictures that are more than somebody may have today, or jobs that are more than may wait.

        Args:
            origin: a placed one.
            request: what is asked for.
            pending: what the same request asked for before it.

        Raises:
            OverCap: fewer would be right.
            LimitReached: none would be; says when.
        """
        if not (await self.allowance(origin)).limits.keys() & COUNTED:
            return
        quota = await self._quota(origin)
        coming = sum(job.request.batch_size for job in pending if not job.is_terminal)
        if (left := quota.left) is not None and coming + request.batch_size > left:
            raise self._too_many_today(quota, asked=coming + request.batch_size, left=left - coming)
        most = quota.allowance.most("waiting")
        waiting = quota.waiting + sum(not job.is_terminal for job in pending)
        if most is not None and waiting + 1 > most:
            raise LimitReached(
                _(
                    "You have {waiting} waiting here: {whose} may have {most}.",
                    waiting=_n("{count} picture", "{count} pictures", count=quota.waiting),
                    whose=quota.allowance.limits["waiting"].whose(quota.allowance.guild_id),
                    most=most,
                ),
                hint=_("Wait until some are drawn, or cancel them: `/queue` lists them."),
            )

    async def guards(self, jobs: Sequence[Job]) -> list[Write]:
        """Return what ends the transaction of new jobs where they are too many after all."""
        new = [job for job in jobs if not job.is_terminal]
        if not new:
            return []
        origin = new[0].origin
        allowance, day = await self.allowance(origin), self._today()
        guards: list[Write] = []
        if (most := allowance.most("daily")) is not None:
            adding = sum(job.request.batch_size for job in new)
            guards.append(self._store.daily_guard(allowance.guild_id, origin.user_key, day, adding, most))
        if (most := allowance.most("waiting")) is not None:
            guards.append(self._store.waiting_guard(allowance.guild_id, origin.user_key, len(new), most))
        return guards

    async def why_not(self, jobs: Sequence[Job]) -> GenerationError:
        """Return the refusal of jobs that a guard has ended."""
        *before, last = [job for job in jobs if not job.is_terminal]
        try:
            await self.check_amounts(last.origin, last.request, before)
        except GenerationError as error:
            return error
        return LimitReached(retry_after=AGAIN_S)  # something was given back in the meantime

    # -- setting them --------------------------------------------------------------------------------------------

    async def caps(self, person: Person) -> list[Cap]:
        """Return the caps of the server that somebody moderates.

        Raises:
            NotAllowed: they do not.
        """
        return list(await self._caps(await self._rights.check_moderator(person)))

    async def change(
        self, person: Person, kind: CapKind, target_id: str, name: str, changes: Mapping[str, float | None]
    ) -> Cap:
        """Set some limits of a role or a channel; None drops one, 0 is as many as they like.

        Raises:
            NotAllowed: this person does not manage the server.
            RequestRejected: a number is out of range.
        """
        guild_id = self._rights.check_manager(person)
        caps = await self._caps(guild_id)
        before = next((cap for cap in caps if (cap.kind, cap.target_id) == (kind, target_id)), None)
        limits = changed(before.limits if before else Limits(), changes)
        cap = Cap(kind=kind, target_id=target_id, name=name, limits=limits)
        is_empty = limits == Limits()
        subject = "everybody" if target_id == guild_id else f"{kind.value} {name}"  # no text: kept in the audit
        entry = self._audit.entry(person, AuditAction.CAPS, subject=subject, details=_written(changes))
        write = self._store.clearing(guild_id, cap) if is_empty else self._store.setting(guild_id, cap)
        await self._audit.record(entry, write)
        self._known.pop(guild_id, None)
        return cap

    async def prune(self) -> None:
        """Delete the counts of days that are over."""
        await self._store.prune(self._clock.now() - KEPT_DAYS)

    async def _caps(self, guild_id: str) -> Sequence[Cap]:
        if guild_id not in self._known:
            self._known[guild_id] = await self._store.of_guild(guild_id)
        return self._known[guild_id]

    async def _quota(self, origin: Origin) -> Quota:
        allowance = await self.allowance(origin)
        used, waiting = await self._store.used(allowance.guild_id, origin.user_key, self._today())
        return Quota(allowance=allowance, used=used, waiting=waiting, resets_at=self._resets_at())

    def _too_many_today(self, quota: Quota, *, asked: int, left: int) -> GenerationError:
        allowed = quota.allowance.limits["daily"]
        wait_s = (quota.resets_at - self._clock.now()).total_seconds()
        values = {
            "whose": allowed.whose(quota.allowance.guild_id),
            "most": int(allowed.most),
            "wait": duration(wait_s),
            "left": max(0, left),
            "asked": asked,
        }
        if left > 0:
            text = _(
                "{asked} pictures are more than the {left} you have left today: {whose} may have {most} a day.", **{
                    name: values[name] for name in ("asked", "left", "whose", "most")
                }
            )  # fmt: skip
            return OverCap(text, field="batch_size", remedy=Draft(batch_size=left))
        text = _(
            "You have no pictures left today: {whose} may have {most} a day. It resets in {wait} (00:00 UTC).",
            **{name: values[name] for name in ("whose", "most", "wait")},
        )
        return LimitReached(text, retry_after=wait_s, hint=_("`/quota` shows what you have left."))

    def _today(self) -> str:
        return f"{self._clock.now():%Y-%m-%d}"

    def _resets_at(self) -> datetime:
        return datetime.combine(self._clock.now().date() + timedelta(days=1), time(), UTC)


def _written(changes: Mapping[str, float | None]) -> str:
    """Return changes as the audit keeps them."""
    if set(changes) == set(NAMES) and not any(changes.values()):
        return "all dropped"  # no text: kept in the audit
    return "; ".join(f"{name}: {'-' if number is None else f'{number:,.15g}'}" for name, number in changes.items())
