"""Settings that are read again while Easel works: who may ask for it, and what came of it in words.

What reads and applies them is `app.reloading`, which knows every part; it is given in once Easel is built.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from generation.person import Person
from lazy import dataclass
from services.moderation.audit import AuditAction, AuditService
from services.moderation.rights import Rights
from texts.text import _, joined

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReloadReport:
    """The outcome of a reload, in names of settings; no value of a secret one is in it.

    `wrong` is what cannot be: then nothing else was changed. `waiting` are those that count from the next start on,
    `notes` whole sentences besides.
    """

    changed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return it as people read it, a line each."""
        if self.wrong:
            head = _("Nothing was changed, since some settings cannot be used:")
            return joined("\n", [head, *self.wrong])
        lines = []
        if self.changed:
            lines.append(_("Taken up: {names}.", names=", ".join(self.changed)))
        if self.waiting:
            lines.append(_("After a restart: {names}.", names=", ".join(self.waiting)))
        if not lines:
            lines.append(_("No setting has changed."))
        return joined("\n", [*lines, *self.notes])


async def read_nothing() -> ReloadReport:
    """Report that there is nothing to read again."""
    return ReloadReport(wrong=(_("This Easel was not started from a .env."),))


class ReloadService:
    """One reload after the other; `take_up` reads and applies."""

    def __init__(self, rights: Rights, audit: AuditService) -> None:
        self._rights = rights
        self._audit = audit
        self._turn = asyncio.Lock()
        self.take_up: Callable[[], Awaitable[ReloadReport]] = read_nothing

    async def reload(self, person: Person) -> ReloadReport:
        """Read the settings again for an admin, and note it in the audit.

        Raises:
            NotAllowed: this person is no admin.
        """
        self._rights.check_admin(person)
        report = await self.read_again()
        subject = ", ".join(report.changed)
        await self._audit.record(self._audit.entry(person, AuditAction.RELOAD, subject=subject))
        return report

    async def by_owner(self, tell: Callable[[str], None]) -> None:
        """Read the settings again for whoever may send this process a signal, and tell what came of it."""
        tell((await self.read_again()).words)

    async def read_again(self) -> ReloadReport:
        async with self._turn:
            report = await self.take_up()
        fields = {"action": "settings_reloaded", "changed": ",".join(report.changed), "wrong": len(report.wrong)}
        log.info("settings read again", extra=fields)
        return report
