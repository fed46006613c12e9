"""Words of reports: for the moderators who decide, the owner of the picture, and those who reported it."""

from dataclasses import replace
from typing import Final

from cogs.cards import Button, Card, Row
from cogs.moderation.buttons import ModerationButton
from cogs.moderation.text import moment, person
from cogs.plain import escape
from services.moderation.reports import AppealState, Report, ReportState, ReportView
from texts.text import _, _n, joined
from utils.text import cut

PROMPT_CHARS: Final = 600
REASON_CHARS: Final = 300
MOST_REASONS: Final = 3
CARD_CHARS: Final = 1950
DECISIONS: Final = {
    ReportState.REMOVED: _("removed the picture"),
    ReportState.WARNED: _("warned the owner; the picture stays"),
    ReportState.BANNED: _("removed the picture and banned the owner"),
    ReportState.DISMISSED: _("dismissed the report; the picture stays"),
}
EARLIER: Final = {
    ReportState.OPEN: _("open"),
    ReportState.REMOVED: _("removed"),
    ReportState.WARNED: _("warned"),
    ReportState.BANNED: _("banned"),
    ReportState.DISMISSED: _("dismissed"),
}


def report_card(view: ReportView) -> Card:
    """Show moderators what they need to decide, and afterwards what was decided."""
    report, job = view.report, view.job
    prompt = escape(cut(job.request.prompt, PROMPT_CHARS)) if job else ""
    lines: list[str] = [
        _(
            "🚩 **Reported:** a picture of {owner} · [go to it]({link})",
            owner=person(report.owner, report.owner_name),
            link=link_to(report),
        ),
        _("**Prompt:** ||{prompt}||", prompt=prompt) if prompt else _("**Prompt:** its words were deleted"),
    ]
    for each in view.reasons[:MOST_REASONS]:
        who, reason = person(each.reporter, each.reporter_name), escape(cut(each.reason, REASON_CHARS))
        lines.append(_("**{who}:** {reason}", who=who, reason=reason or "-"))
    if len(view.reasons) > MOST_REASONS:
        lines.append(_("-# and {count} more", count=len(view.reasons) - MOST_REASONS))
    lines.append(_earlier(view))
    if report.decided_at is not None and report.state is not ReportState.OPEN:
        decided = DECISIONS[report.state]
        actor, when = person(report.decided_by, report.decided_by_name), moment(report.decided_at)
        lines.append(_("✅ {actor} {decided} · {when}", actor=actor, decided=decided, when=when))
    if report.appeal_state is not AppealState.NONE:
        lines.append(_("⚖️ **Appeal:** {text}", text=escape(cut(report.appeal, REASON_CHARS)) or "-"))
    if report.appeal_state in (AppealState.GRANTED, AppealState.REFUSED):
        lines.append(_("-# The appeal was {outcome}.", outcome=_appeal_word(report.appeal_state)))
    return Card(content=cut(joined("\n", filter(None, lines)), CARD_CHARS), rows=_rows(report))


def decided_card(report: Report, server: str, reason: str) -> Card:
    """Write to the owner of a picture what was decided about it, and how to appeal."""
    where = escape(server)
    if report.state is ReportState.WARNED:
        text = _("⚠️ The moderators of **{where}** warn you about [a picture of yours]({link}).",
                 where=where, link=link_to(report))  # fmt: skip
    elif report.state is ReportState.BANNED:
        text = _(
            "🚫 The moderators of **{where}** removed a picture of yours, and you can ask for no more there: {reason}",
            where=where,
            reason=escape(reason),
        )
    else:
        text = _("🚫 The moderators of **{where}** have removed a picture of yours.", where=where)
    hint = _("-# It was reported. If that was a mistake, you may appeal once.")
    row = (ModerationButton(action="appeal", job_id=report.id, label=_("Appeal"), emoji="⚖️"),)
    return Card(content=joined("\n", (text, hint)), rows=(row,))


def outcome_text(state: ReportState, server: str) -> str:
    """Write to somebody what came of their report."""
    decided = DECISIONS.get(state, "")
    return _(
        "🚩 You reported a picture in **{where}**. The moderators {decided}.", where=escape(server), decided=decided
    )


def appeal_text(state: AppealState, server: str) -> str:
    """Write to the owner of a picture what came of their appeal."""
    if state is AppealState.GRANTED:
        return _(
            "⚖️ The moderators of **{where}** granted your appeal: the decision is taken back, and a ban is lifted. "
            "A picture that was removed stays gone; you may draw it again.",
            where=escape(server),
        )
    return _("⚖️ The moderators of **{where}** have refused your appeal. The decision stands.", where=escape(server))


def link_to(report: Report) -> str:
    """Return the address of the message that shows the picture."""
    return f"https://discord.com/channels/{report.guild_id}/{report.channel_id}/{report.message_id}"


def _earlier(view: ReportView) -> str:
    parts = [f"{count} {EARLIER[ReportState(state)]}" for state, count in sorted(view.earlier.items())]
    if not parts:
        return _("-# No other picture of theirs was reported here.")
    total = sum(view.earlier.values())
    reports = _n("{count} other report", "{count} other reports", count=total)
    return _("-# {reports} about them here: {parts}", reports=reports, parts=", ".join(map(str, parts)))


def _rows(report: Report) -> tuple[Row, ...]:
    remove = ModerationButton(action="remove", job_id=report.id, label=_("Remove"), emoji="🗑️", style="danger")
    if report.state is ReportState.OPEN:
        row: tuple[Button, ...] = (
            remove,
            replace(remove, action="warn", label=_("Warn"), emoji="⚠️", style="secondary"),
            replace(remove, action="ban", label=_("Remove and ban"), emoji="🚫"),
            replace(remove, action="dismiss", label=_("Dismiss"), emoji="✔️", style="secondary"),
        )
        return (row,)
    if report.appeal_state is AppealState.OPEN:
        grant = replace(remove, action="grant", label=_("Grant the appeal"), emoji="✔️", style="success")
        return ((grant, replace(grant, action="refuse", label=_("Refuse it"), emoji="✖️", style="secondary")),)
    return ()


def _appeal_word(state: AppealState) -> str:
    return _("granted") if state is AppealState.GRANTED else _("refused")
