"""Reports of pictures: made by whoever sees one, decided by moderators, open to one appeal of the picture's owner.

Every step is one transaction with its line in the audit and the notices that tell of it: nothing is lost by a restart,
and of two moderators who press at the same time one decides.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from generation.errors import LimitReached, NotAllowed, RequestRejected
from generation.foreign import clean_text
from generation.job import Job
from generation.person import Person
from lazy import dataclass
from services.moderation.audit import AuditAction, AuditService
from services.moderation.bans import Ban, BanService
from services.moderation.notices import NoticeKind, NoticeService
from services.moderation.rights import Rights
from store.audit import AuditEntry
from store.bans import BanStore
from store.database import Write
from store.jobs import JobStore
from store.reports import AppealState as AppealState
from store.reports import Decided, ReportReason, ReportStore
from store.reports import Report as Report
from store.reports import ReportState as ReportState
from texts.text import _
from utils.clock import Clock

MAX_REASON_CHARS: Final = 500
MOST_A_DAY: Final = 20  # reports of one person
DAY: Final = timedelta(days=1)
ACTIONS: Final = {
    ReportState.REMOVED: AuditAction.REMOVE,
    ReportState.WARNED: AuditAction.WARN,
    ReportState.BANNED: AuditAction.REMOVE,  # the ban has a line of its own
    ReportState.DISMISSED: AuditAction.DISMISS,
}

REMOVING: Final = (ReportState.REMOVED, ReportState.BANNED)

ChannelOf = Callable[[str], Awaitable[str]]
Remove = Callable[[Job], Awaitable[None]]


async def no_channel(guild_id: str) -> str:
    """Return no channel: without house rules no server has chosen one."""
    return ""


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """All that moderators need to decide. `job` None: it is not there any more."""

    report: Report
    reasons: Sequence[ReportReason]
    earlier: Mapping[str, int]  # other reports of this person's pictures here, by what was decided
    job: Job | None


class ReportService:
    """Takes reports in and carries decisions out."""

    def __init__(
        self,
        store: ReportStore,
        *,
        jobs: JobStore,
        bans: BanService,
        ban_store: BanStore,
        audit: AuditService,
        notices: NoticeService,
        rights: Rights,
        clock: Clock,
        ttl_s: float,
    ) -> None:
        self._ttl = timedelta(seconds=ttl_s)
        self._store = store
        self._jobs = jobs
        self._bans = bans
        self._ban_store = ban_store
        self._audit = audit
        self._notices = notices
        self._rights = rights
        self._clock = clock
        self.channel_of: ChannelOf = no_channel  # where a server's moderators read reports
        self.remove_picture: Remove | None = None  # takes the pictures of a job from everywhere

    async def check_open(self, person: Person, job: Job) -> None:
        """Refuse a report that could not be made, before somebody writes a reason.

        Raises:
            RequestRejected: the picture is their own, was looked at already, or reports go nowhere here.
        """
        if not person.guild_id:
            raise RequestRejected(_("There are no moderators here: pictures are reported in servers."))
        if job.user_key == person.user_key:
            raise RequestRejected(_("This picture is your own."), hint=_("🗑️ under it deletes it."))
        if not await self.channel_of(person.guild_id):
            raise RequestRejected(
                _("This server has not chosen where reports go."),
                hint=_("People with Manage Server choose a channel with `/setup start`."),
            )
        report = await self._store.of_job(job.id)
        if report is not None and report.state is not ReportState.OPEN:
            raise RequestRejected(_("The moderators have looked at this picture already."))

    async def report(self, person: Person, job: Job, reason: str) -> None:
        """Report a picture to the moderators of the server it stands in.

        Raises:
            RequestRejected: as `check_open`; or they have reported it before, or say no reason.
            LimitReached: they report very much today.
        """
        await self.check_open(person, job)
        reason, now = clean_text(reason).strip()[:MAX_REASON_CHARS], self._clock.now()
        if not reason:
            raise RequestRejected(_("Say what is wrong with it."), field="reason")
        if await self._store.count_since(person.user_key, now - DAY) >= MOST_A_DAY:
            raise LimitReached(_("You have reported {most} pictures today, and that is the most.", most=MOST_A_DAY))
        known = await self._store.of_job(job.id)
        report = known or Report(
            id=secrets.token_hex(6),
            guild_id=person.guild_id or "",
            channel_id=job.origin.channel_id or "",
            message_id=job.origin.message_id or "",
            job_id=job.id,
            owner=job.user_key,
            owner_name=job.origin.user_name,
            created_at=now,
        )
        entry = self._audit.entry(
            person, AuditAction.REPORT, target=report.owner, target_name=report.owner_name, subject=job.short_id,
            reason=reason,
        )  # fmt: skip
        writes = [
            self._store.adding(report),
            self._store.adding_reason(job.id, person.user_key, person.name, reason, now),
            await self._card(report),
        ]
        try:
            await self._audit.record(entry, *writes)
        except Decided as error:
            raise RequestRejected(_("You have reported this picture already; the moderators will decide.")) from error
        self._notices.wake()

    async def view(self, report_id: str) -> ReportView | None:
        """Return what moderators need to decide on a report."""
        report = await self._store.get(report_id)
        if report is None:
            return None
        return ReportView(
            report=report,
            reasons=await self._store.reasons(report.id),
            earlier=await self._store.earlier(report),
            job=await self._jobs.get(report.job_id),
        )

    async def set_card(self, report_id: str, *, channel_id: str, message_id: str) -> None:
        await self._store.set_card(report_id, channel_id=channel_id, message_id=message_id)

    async def decide(
        self,
        person: Person,
        report_id: str,
        state: ReportState,
        *,
        reason: str = "",
        duration: str = "",
        is_manager: bool = False,
    ) -> None:
        """Remove the picture, warn or ban its owner, or dismiss the report; all whom it concerns are told.

        `reason` and `duration` are those of a ban, which also removes the picture; `is_manager` as in `BanService.ban`.

        Raises:
            NotAllowed: this person does not moderate the server.
            RequestRejected: there is no such report here, or it was decided already.
        """
        report = await self._of_moderator(person, report_id)
        if report.state is not ReportState.OPEN:
            raise already_decided(report)
        ban: Ban | None = None
        writes = [self._store.deciding(report.id, state, person.user_key, person.name, self._clock.now())]
        if state is ReportState.BANNED:
            ban, banning = self._bans.made(
                person, report.guild_id, report.owner, report.owner_name, reason, duration, is_manager=is_manager
            )
            writes += [banning.setting, self._audit.recording(banning.entry)]
        if state in REMOVING:
            writes.append(self._notices.telling(NoticeKind.WITHDRAWN, guild_id=report.guild_id, subject=report.id))
        writes += [await self._card(report), *await self._outcomes(report, state, reason)]
        try:
            await self._audit.record(self._entry(person, ACTIONS[state], report, reason), *writes)
        except Decided as error:
            raise already_decided(await self._store.get(report.id) or report) from error
        self._notices.wake()
        if ban is not None:
            await self._bans.cancel_jobs(ban)

    async def withdraw(self, report: Report) -> None:
        """Take the picture from everywhere, as was decided; safe to repeat.

        The notice that follows the decision asks for it, so that a restart in between does not leave the picture.

        Raises:
            GenerationError: the media store does not answer, so it is still there.
        """
        job = await self._jobs.get(report.job_id)
        if job is not None and self.remove_picture is not None and report.state in REMOVING:
            await self.remove_picture(job)

    async def appeal(self, person: Person, report_id: str, text: str) -> None:
        """Ask the moderators to take a decision back; the owner of the picture may do so once.

        Raises:
            RequestRejected: there is no such decision about them, or they have appealed before.
        """
        text = clean_text(text).strip()[:MAX_REASON_CHARS]
        report = await self.check_appeal(person, report_id)
        if not text:
            raise RequestRejected(_("Say why the decision should be taken back."), field="appeal")
        entry = self._audit.entry(person, AuditAction.APPEAL, guild_id=report.guild_id, subject=report.id, reason=text)
        appealing = self._store.appealing(report.id, person.user_key, text, self._clock.now())
        try:
            await self._audit.record(entry, appealing, await self._card(report))
        except Decided as error:
            raise RequestRejected(_("You have appealed already; the moderators decide once.")) from error
        self._notices.wake()

    async def check_appeal(self, person: Person, report_id: str) -> Report:
        """Return a report whose owner may appeal now.

        Raises:
            RequestRejected: as `appeal`.
        """
        report = await self._store.get(report_id)
        if report is None or report.owner != person.user_key or report.state in (
            ReportState.OPEN, ReportState.DISMISSED
        ):  # fmt: skip
            raise RequestRejected(_("There is no decision to appeal against."))
        if report.appeal_state is not AppealState.NONE:
            raise RequestRejected(_("You have appealed already; the moderators decide once."))
        return report

    async def judge(self, person: Person, report_id: str, *, is_granted: bool) -> None:
        """Grant an appeal, which lifts a ban, or refuse it; the owner is told.

        Raises:
            NotAllowed: this person does not moderate the server.
            RequestRejected: there is no appeal, or it was decided already.
        """
        report = await self._of_moderator(person, report_id)
        if report.owner == person.user_key:
            raise NotAllowed(_("Somebody else decides about your appeal."))
        state = AppealState.GRANTED if is_granted else AppealState.REFUSED
        telling = self._notices.telling(
            NoticeKind.APPEAL, guild_id=report.guild_id, user_key=report.owner, subject=report.id, state=state.value
        )
        writes = [self._store.judging(report.id, state), telling, await self._card(report)]
        if is_granted and report.state is ReportState.BANNED:
            lifting = self._ban_store.lifting(report.guild_id, report.owner, self._clock.now())
            writes.append((lifting[0], lifting[1]))  # it may be over already
        action = AuditAction.GRANT if is_granted else AuditAction.REFUSE
        try:
            await self._audit.record(self._entry(person, action, report, ""), *writes)
        except Decided as error:
            raise RequestRejected(_("There is no appeal to decide about any more.")) from error
        self._notices.wake()

    async def prune(self) -> None:
        """Delete reports that were decided long ago, with the reasons and appeals of people."""
        await self._store.prune(self._clock.now() - self._ttl)

    async def _of_moderator(self, person: Person, report_id: str) -> Report:
        guild_id = await self._rights.check_moderator(person)
        report = await self._store.get(report_id)
        if report is None or report.guild_id != guild_id:
            raise RequestRejected(_("There is no such report here."))
        return report

    async def _card(self, report: Report) -> Write:
        """Return what posts or edits the moderators' message."""
        channel_id = report.card_channel_id or await self.channel_of(report.guild_id)
        return self._notices.telling(
            NoticeKind.REPORTED, guild_id=report.guild_id, channel_id=channel_id, subject=report.id
        )

    async def _outcomes(self, report: Report, state: ReportState, reason: str) -> list[Write]:
        """Return what tells the picture's owner, unless nothing came of it, and those who reported it."""
        to_all = {"guild_id": report.guild_id, "subject": report.id}
        writes = [
            self._notices.telling(NoticeKind.OUTCOME, user_key=each.reporter, state=state.value, **to_all)
            for each in await self._store.reasons(report.id)
        ]
        if state is not ReportState.DISMISSED:
            details = {"state": state.value, "reason": reason}
            writes.append(self._notices.telling(NoticeKind.DECIDED, user_key=report.owner, **details, **to_all))
        return writes

    def _entry(self, person: Person, action: AuditAction, report: Report, reason: str) -> AuditEntry:
        return self._audit.entry(
            person, action, target=report.owner, target_name=report.owner_name, subject=report.job_id[:12],
            reason=reason,
        )  # fmt: skip


def already_decided(report: Report) -> RequestRejected:
    """Return the refusal for whoever was not the quickest."""
    name = report.decided_by_name or _("somebody")
    return RequestRejected(_("{name} has decided about this report already.", name=name))
