"""Bans, audit lines, reports and caps whose texts are all of others."""

from dataclasses import replace

from cogs.moderation import text as moderation_text
from generation.caps import Cap, CapKind, Limits
from generation.request import GenerationRequest
from services.moderation.audit import AuditAction, AuditEntry
from services.moderation.bans import Ban
from services.moderation.reports import AppealState, Report, ReportState, ReportView
from store.reports import ReportReason
from tests.cogs.samples import JOB, NOW


def ban(text: str) -> Ban:
    return Ban(
        guild_id="1", user_key="api:x", user_name=text, reason=text, actor="api:y", actor_name=text, created_at=NOW,
    )  # fmt: skip


def audited(text: str) -> str:
    entry = AuditEntry(
        at=NOW, actor="api:x", actor_name=text, action=AuditAction.BAN, target="api:y", target_name=text, subject=text,
        reason=text, details=text,
    )  # fmt: skip
    return moderation_text.audit([entry])


def reported(text: str, appeal: AppealState, state: ReportState = ReportState.REMOVED) -> ReportView:
    report = Report(
        id="r", guild_id="1", channel_id="2", message_id="3", job_id="j", owner="api:x", owner_name=text,
        created_at=NOW, state=state, decided_by="api:y", decided_by_name=text, decided_at=NOW, appeal=text,
        appeal_state=appeal,
    )  # fmt: skip
    reason = ReportReason(report_id="r", reporter="api:z", reporter_name=text, reason=text, created_at=NOW)
    request = GenerationRequest(prompt=text, width=512, height=512, steps=20, cfg_scale=7.0, seed=1)
    job = replace(JOB, request=request, drawn=request)
    return ReportView(report=report, reasons=[reason] * 4, earlier={"removed": 1}, job=job)


def cap(text: str) -> Cap:
    return Cap(kind=CapKind.CHANNEL, target_id="2", name=text, limits=Limits(steps=5, daily=3))
