"""Words for moderators and for those they decide about. Values in, texts out."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cogs.plain import code, escape, sentence
from generation.caps import NAMES, NO_LIMIT, Cap, CapKind
from generation.money import dollars
from services.moderation.audit import AuditAction, AuditEntry
from services.moderation.bans import Ban
from services.moderation.caps import Quota
from texts.text import _, _n, joined
from utils.text import cut

LIST_CHARS: Final = 1900
MOST_BANS: Final = 20
_ANY: Final = {
    "pixels": _("size"), "steps": _("number of steps"), "batch": _("number of pictures a request"),
    "budget": _("price"), "daily": _("number of pictures a day"), "waiting": _("number of requests waiting"),
    "running": _("number of requests drawn at a time"), "weight": _("turns in the queue"),
    "priority": _("priority"),
}  # fmt: skip
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
    AuditAction.MODELS: _("changed the models:"),
    AuditAction.RELOAD: _("reloaded the settings"),
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


def alert(details: Mapping[str, Any]) -> str:
    """Warn admins of what happens to the engines or the budget."""
    return _("⚠️ {message}\n-# `/status` shows how the engines are.", message=sentence(str(details.get("message", ""))))


def caps(found: Sequence[Cap], guild_id: str) -> str:
    """List the limits of a server."""
    if not found:
        return _("No limits are set here: members may ask for what the engines can do.\n-# `/caps set` sets some.")
    lines: list[str] = [_("**Limits here**")]
    for cap in found:
        limits = [limit(name, number) for name in NAMES if (number := getattr(cap.limits, name)) is not None]
        lines.append(f"{_subject(cap, guild_id)}: {joined(' · ', limits)}")
    lines.append(
        _("-# The most generous of somebody’s roles counts; a channel limits further. `/caps clear` drops them.")
    )
    return cut(joined("\n", lines), LIST_CHARS)


def quota(found: Quota) -> str:
    """Write what somebody may ask for, and what is left today."""
    lines: list[str] = []
    most, left = found.allowance.most("daily"), found.left
    if most is not None and left is not None:
        lines.append(
            _(
                "**{left} of {most} pictures left today** · resets {when} (00:00 UTC)",
                left=left,
                most=most,
                when=f"<t:{int(found.resets_at.timestamp())}:R>",
            )
        )
    for name in NAMES:
        allowed = found.allowance.limits.get(name)
        if allowed is not None and name != "daily":
            whose = escape(allowed.whose(found.allowance.guild_id))
            lines.append(_("{limit} ({whose})", limit=limit(name, allowed.most), whose=whose))
    if not lines:
        return _("No limits are set for you here.")
    if most is None:
        lines.insert(0, _("**What you may ask for here**"))
    return joined("\n", lines)


def limit(name: str, number: float) -> str:
    """Write one limit; 0 is none."""
    if number == NO_LIMIT:
        return _("any {name}", name=_ANY[name])
    if name == "pixels":
        side = int(math.sqrt(number))
        return _("pictures of {pixels} pixels, such as {side}×{side}", pixels=f"{int(number):,}", side=side)
    if name == "weight":
        return _("{number:g} times as many turns in the queue", number=number)
    if name == "priority":
        return _("may say `--priority high`")
    if name == "budget":
        return _("{usd} a day", usd=dollars(number))
    count = int(number)
    if name == "steps":
        return _n("{count} step", "{count} steps", count=count)
    if name == "batch":
        return _n("{count} picture a request", "{count} pictures a request", count=count)
    if name == "daily":
        return _n("{count} picture a day", "{count} pictures a day", count=count)
    if name == "waiting":
        return _n("{count} request waiting", "{count} requests waiting", count=count)
    return _n("{count} request drawn at a time", "{count} requests drawn at a time", count=count)


def _subject(cap: Cap, guild_id: str) -> str:
    if cap.kind is CapKind.CHANNEL:
        return f"<#{cap.target_id}>"
    return _("everybody") if cap.target_id == guild_id else f"<@&{cap.target_id}>"
