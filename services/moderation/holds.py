"""Actions of admins on engines and their jobs: pause, drain, resume, cancel. In the audit, and kept by restarts.

A paused engine starts nothing; what waits for it keeps its place. A drained one draws what waits and takes nothing new.
"""

from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.errors import RequestRejected
from generation.job import JobError
from generation.person import Person
from queue_manager import QueueManager
from services.engines.catalog import find_entry
from services.moderation.audit import AuditAction, AuditService
from services.moderation.rights import Rights
from store.database import NothingThere
from store.engine_holds import EngineHold, EngineHoldStore
from store.jobs import JobStore
from texts.text import _
from utils.clock import Clock

PAUSED: Final = "paused"  # no text: a value of the table
DRAINED: Final = "drained"  # no text: a value of the table
BY_ADMIN: Final = "by_admin"  # the code of what ended a job


class EngineHoldService:
    """For admins alone. Call `restore` at the start."""

    def __init__(
        self,
        store: EngineHoldStore,
        *,
        registry: BackendRegistry,
        queue: QueueManager,
        jobs: JobStore,
        audit: AuditService,
        rights: Rights,
        clock: Clock,
    ) -> None:
        self._store = store
        self._registry = registry
        self._queue = queue
        self._jobs = jobs
        self._audit = audit
        self._rights = rights
        self._clock = clock
        registry.on_change.append(self._engine_changed)
        self._held: dict[str, str] = {}  # by lane

    async def restore(self) -> None:
        """Put on hold what was on hold when Easel stopped."""
        for hold in await self._store.all():
            self._apply(hold.lane, hold.hold)

    def names(self) -> list[str]:
        """Return the engines there are, as people know them."""
        return [entry.label for entry in self._registry]

    async def pause(self, person: Person, engine: str, reason: str = "") -> str:
        """Let an engine start nothing more until it is resumed; return its name.

        Raises:
            NotAllowed: this person is no admin.
            RequestRejected: there is no such engine.
        """
        return await self._hold(person, engine, PAUSED, AuditAction.PAUSE, reason)

    async def drain(self, person: Person, engine: str, reason: str = "") -> str:
        """Let an engine draw what waits for it and take nothing new until it is resumed; return its name.

        Raises:
            NotAllowed, RequestRejected: as `pause`.
        """
        return await self._hold(person, engine, DRAINED, AuditAction.DRAIN, reason)

    async def resume(self, person: Person, engine: str) -> str:
        """End a pause or a drain; return the engine's name.

        Raises:
            NotAllowed: this person is no admin.
            RequestRejected: there is no such engine, or it is not on hold.
        """
        self._rights.check_admin(person)
        entry = self._entry(engine)
        try:
            await self._audit.record(
                self._audit.entry(person, AuditAction.RESUME, subject=entry.label), self._store.dropping(entry.name)
            )
        except NothingThere as error:
            raise RequestRejected(_("{engine} is not on hold.", engine=entry.label), field="engine") from error
        self._apply(entry.name, "")
        return entry.label

    async def cancel(self, person: Person, engine: str, reason: str = "") -> tuple[str, int]:
        """Cancel all that waits for an engine or runs there; return its name and how many jobs that were.

        Raises:
            NotAllowed, RequestRejected: as `pause`.
        """
        self._rights.check_admin(person)
        entry = self._entry(engine)
        why = JobError(code=BY_ADMIN, user_message=_("Cancelled by an admin."))
        job_ids = await self._jobs.active_on(entry.name)
        cancelled = sum([await self._queue.cancel(job_id, why) is not None for job_id in job_ids])
        details = _("{count} jobs", count=cancelled)
        await self._audit.record(
            self._audit.entry(person, AuditAction.CANCEL, subject=entry.label, reason=reason, details=details)
        )
        return entry.label, cancelled

    async def _hold(self, person: Person, engine: str, hold: str, action: AuditAction, reason: str) -> str:
        self._rights.check_admin(person)
        entry = self._entry(engine)
        row = EngineHold(lane=entry.name, hold=hold, reason=reason)
        await self._audit.record(
            self._audit.entry(person, action, subject=entry.label, reason=reason),
            self._store.setting(row, person.name, self._clock.now()),
        )
        self._apply(entry.name, hold)
        return entry.label

    def _apply(self, lane: str, hold: str) -> None:
        self._held[lane] = hold
        self._engine_changed(lane)
        self._queue.set_stopped(lane, is_stopped=hold == PAUSED)

    def _engine_changed(self, name: str) -> None:
        """Mark an engine again that was connected again."""
        if entry := self._registry.get(name):
            hold = self._held.get(name, "")
            entry.is_drained, entry.is_paused = hold == DRAINED, hold == PAUSED

    def _entry(self, engine: str) -> Entry:
        entry = find_entry(engine, self._registry)
        if entry is None:
            names = ", ".join(self.names())
            raise RequestRejected(
                _("There is no engine “{engine}”. There is: {names}.", engine=engine, names=names), field="engine"
            )
        return entry
