"""The rules of each server: loaded, and changed by who manages it, with a line in the audit."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from generation.errors import NotAllowed, RequestRejected
from generation.house import (
    MAX_PATTERN_CHARS,
    MAX_WORD_CHARS,
    MOST_PATTERNS,
    MOST_WORDS,
    UNSET,
    HouseRules,
)
from generation.person import Person
from services.house.patterns import compiled
from services.moderation.audit import AuditAction, AuditService
from services.moderation.rights import Rights
from store.house import HouseStore
from texts.text import _
from utils.clock import Clock

LIMITS: Final = (("words", MOST_WORDS, MAX_WORD_CHARS), ("patterns", MOST_PATTERNS, MAX_PATTERN_CHARS))


class HouseRuleService:
    """Reads a server's row once and keeps it: this process alone writes it."""

    def __init__(self, store: HouseStore, *, audit: AuditService, rights: Rights, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._rights = rights
        self._clock = clock
        self._known: dict[str, HouseRules | None] = {}
        self._turn = asyncio.Lock()

    async def load(self, guild_id: str) -> HouseRules:
        """Return what holds in a server; the defaults where nobody has set anything."""
        if guild_id not in self._known:
            self._known[guild_id] = await self._store.get(guild_id)
        return self._known[guild_id] or UNSET

    def loaded(self, guild_id: str) -> HouseRules | None:
        """Return what holds in a server if that was asked for before."""
        return (self._known[guild_id] or UNSET) if guild_id in self._known else None

    async def is_set(self, guild_id: str) -> bool:
        """Return whether somebody has ever set something there."""
        await self.load(guild_id)
        return self._known[guild_id] is not None

    async def reports_channel(self, guild_id: str) -> str:
        return (await self.load(guild_id)).reports_channel

    async def moderator_roles(self, guild_id: str) -> tuple[str, ...]:
        return (await self.load(guild_id)).moderator_roles

    def check_manager(self, person: Person) -> str:
        """Return the id of the server that somebody manages.

        Raises:
            NotAllowed: they do not.
            RequestRejected: there is no server here.
        """
        if not person.guild_id:
            raise RequestRejected(_("There is no server here: use `/setup` in a channel of the server."))
        if not (person.is_manager or self._rights.is_admin(person)):
            raise NotAllowed(_("Only people with Manage Server set the rules."), hint=_("`/setup show` lists them."))
        return person.guild_id

    async def change(self, person: Person, **changes: Any) -> HouseRules:
        """Set some of the rules of the server that somebody manages; return all that hold then.

        Raises:
            NotAllowed: they do not manage it.
            RequestRejected: a pattern is none, or there are too many or too long ones.
        """
        guild_id = self.check_manager(person)
        _check(changes)
        async with self._turn:
            before = await self.load(guild_id)
            after = replace(before, **changes)
            if after == before and self._known[guild_id] is not None:
                return after
            now = self._clock.now()
            entry = self._audit.entry(person, AuditAction.SETUP, details=_difference(before, after))
            await self._audit.record(entry, self._store.setting(guild_id, after, person.user_key, now))
            self._known[guild_id] = after
        return after


def _check(changes: Mapping[str, Any]) -> None:
    for name, most, chars in LIMITS:
        given = [entry for entry in changes.get(name, ()) if entry.strip()]
        if len(given) > most:
            raise RequestRejected(
                _("That are {count} {name}, and a server has at most {most}.", count=len(given), name=name, most=most),
                field=name,
            )
        if longest := next((entry for entry in given if len(entry.strip()) > chars), ""):
            raise RequestRejected(
                _("“{entry}” is too long: at most {chars} characters.", entry=longest[:chars], chars=chars), field=name
            )
    for pattern in changes.get("patterns", ()):
        compiled(pattern)


def _difference(before: HouseRules, after: HouseRules) -> str:
    """Write which rules changed to what, for the audit."""
    changed = [field.name for field in fields(after) if getattr(before, field.name) != getattr(after, field.name)]
    return "; ".join(f"{name}: {_value(getattr(after, name))}" for name in changed if name != "labels")


def _value(value: object) -> str:
    return ", ".join(map(str, value)) or "-" if isinstance(value, tuple) else str(value)
