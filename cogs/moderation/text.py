"""Words for moderators and for those they decide about. Values in, texts out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cogs.plain import code, escape
from services.moderation.audit import AuditAction, AuditEntry
from services.moderation.bans import Ban
from texts.text import _, _n, joined
from utils.text import cut

LIST_CHARS: Final = 1900
MOST_BANS: Final = 20
TITLES: Final = {
    AuditAction.BAN: _("banned"),
    AuditAction.UNBAN: _("lifted the ban of"),
    AuditAction.REPORT: _("reported a picture of"),
    AuditAction.REMOVE: _("removed a picture of"),
    AuditAction.WARN: _("warned"),
    AuditAction.DISMISS: _("dismissed a report about"),
    AuditAction.APPEAL: _("appealed against a decision"),
    AuditAction.GRANT: _("granted the appeal of"),
    AuditAction.REFUSE: _("refused the appeal of"),
    AuditAction.CANCEL: _("cancelled"),
    AuditAction.DELETE: _("deleted a picture of"),
    AuditAction.PAUSE: _("paused"),
    AuditAction.DRAIN: _("drained"),
    AuditAction.RESUME: _("resumed"),
    AuditAction.CAPS: _("changed the limits of"),
    AuditAction.SETUP: _("changed the rules"),
}


def person(user_key: str, name: str = "") -> str:
    """Mention somebody of Discord, who is shown by their present name; name anybody else."""
    door, __, user_id = user_key.partition(":")
    if door == "discord" and user_id.isdecimal():
        return f"<@{user_id}>"
    return escape(name or user_key)


def moment(when: datetime) -> str:
    """Write a time as Discord shows it to each reader in their own time zone."""
    return f"<t:{int(when.timestamp())}:f>"


def banned(ban: Ban, cancelled: int) -> str:
    """Confirm a ban to the moderator."""
    who, reason = person(ban.user_key, ban.user_name), escape(ban.reason)
    if ban.ends_at is None:
        head = _("🚫 {who} can ask for no more pictures here: {reason}", who=who, reason=reason)
    else:
        end = moment(ban.ends_at)
        head = _("🚫 {who} can ask for no more pictures here until {end}: {reason}", who=who, end=end, reason=reason)
    lines = [head]
    if cancelled:
        lines.append(_n("{count} waiting job was cancelled.", "{count} waiting jobs were cancelled.", count=cancelled))
    lines.append(_("-# They are told in a direct message. `/unban` lifts it."))
    return joined("\n", lines)


def bans(found: Sequence[Ban]) -> str:
    """List who is banned."""
    if not found:
        return _("Nobody is banned here.\n-# `/ban` keeps somebody from asking for pictures in this server.")
    lines: list[str] = [_("**Banned here**")]
    for ban in found[:MOST_BANS]:
        end = moment(ban.ends_at) if ban.ends_at else _("lifted")
        lines.append(
            _(
                "{who} · until {end} · by {actor} · {reason}",
                who=person(ban.user_key, ban.user_name),
                end=end,
                actor=person(ban.actor, ban.actor_name),
                reason=escape(cut(ban.reason, 100)),
            )
        )
    if len(found) > MOST_BANS:
        lines.append(_("-# and {count} more", count=len(found) - MOST_BANS))
    return cut(joined("\n", lines), LIST_CHARS)


def audit(entries: Sequence[AuditEntry]) -> str:
    """Write a page of the audit, newest first."""
    if not entries:
        return _("Nothing is in the audit for that.\n-# It holds what moderators and admins do.")
    return cut(joined("\n", [_("**Audit**"), *map(_audit_line, entries)]), LIST_CHARS)


def _audit_line(entry: AuditEntry) -> str:
    title = TITLES.get(AuditAction(entry.action), entry.action) if entry.action in {*AuditAction} else entry.action
    about = [person(entry.target, entry.target_name)] if entry.target else []
    about += [f"`{code(entry.subject)}`"] if entry.subject else []
    line = f"{moment(entry.at)} {person(entry.actor, entry.actor_name)} {title} {' '.join(about)}".rstrip()
    more = [escape(cut(part, 120)) for part in (entry.reason, entry.details) if part]
    return joined(" · ", (line, *more))


def notice(kind: str, server: str, details: Mapping[str, Any]) -> str:
    """Write what somebody is told of a ban."""
    where = escape(server)
    if kind == "unbanned":
        return _("✅ You may ask for pictures in **{where}** again.", where=where)
    reason, ends_at = escape(str(details.get("reason", ""))), details.get("ends_at")
    if ends_at is None:
        return _("🚫 You can no longer ask for pictures in **{where}**: {reason}", where=where, reason=reason)
    return _(
        "🚫 You can ask for no pictures in **{where}** until {end}: {reason}",
        where=where,
        end=f"<t:{int(ends_at)}:f>",
        reason=reason,
    )
