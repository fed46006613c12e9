"""Words about the rules of a server. Values in, words out."""

from collections.abc import Sequence
from typing import Final

from cogs.plain import escape, sentence
from generation.errors import HouseRefusal
from generation.house import UNSET, Cover, Flagged, HouseRules, SexualContent
from texts.text import _, _n, joined
from utils.text import cut

MAX_CHARS: Final = 1950
LIST_CHARS: Final = 300
SEXUAL: Final = {
    SexualContent.AGE_RESTRICTED: _("Only in age-restricted channels"),
    SexualContent.NOWHERE: _("Nowhere"),
    SexualContent.ANYWHERE: _("In every channel"),
}
COVER: Final = {
    Cover.NONE: _("No picture"),
    Cover.AGE_RESTRICTED: _("Pictures in age-restricted channels"),
    Cover.ALL: _("Every picture"),
}
FLAGGED: Final = {
    Flagged.UNCHECKED: _("No picture is checked"),
    Flagged.COVERED: _("It comes behind a spoiler"),
    Flagged.BLURRED: _("A blurred copy takes its place"),
    Flagged.HIDDEN: _("It is held back"),
}


def rules_text(rules: HouseRules, *, here: str = "") -> str:
    """List what holds in a server, with the reason where it is a default. `here`: how that is where it is asked."""
    lines: list[str] = [
        _("**House rules**"),
        _("**Channels:** {channels}", channels=_mentions(rules.channels, "#") or _("all")),
        _("**Who may draw:** {roles}", roles=_mentions(rules.roles, "@&") or _("everybody")),
        _("**Moderators:** {roles}", roles=joined(", ", (_("Manage Server"), *_marked(rules.moderator_roles, "@&")))),
        _("**Reports go to:** {channel}", channel=_reports(rules)),
        _("**Nudity and sexual content:** {where}{why}", where=SEXUAL[rules.sexual_content], why=_why(rules)),
        _("**Never drawn:** {words}", words=_words(rules)),
        _("**Always left out:** {words}", words=escape(cut(rules.negative_prompt, LIST_CHARS)) or _("nothing")),
        _("**Behind a spoiler:** {cover}", cover=COVER[rules.cover]),
        _("**A picture that seems not safe for work:** {flagged}", flagged=FLAGGED[rules.flagged]),
        _("**Members in direct messages and the studio:** {elsewhere}", elsewhere=_elsewhere(rules)),
    ]
    if here:
        lines.append(here)
    lines.append(_("-# Sexual pictures of minors are never drawn. Word lists help, and prove nothing."))
    return cut(joined("\n", lines), MAX_CHARS)


def here_text(*, is_age_restricted: bool, refusal: HouseRefusal | None) -> str:
    """Write what holds for a person in this channel."""
    kind = _("age-restricted") if is_age_restricted else _("not age-restricted")
    if refusal is None:
        return _("**Here:** you may draw; this channel is {kind}.", kind=kind)
    return _("**Here:** {refusal}", refusal=sentence(f"{refusal.user_message} {refusal.hint}"))


def trial_text(prompt: str, openly: HouseRefusal | None, age_restricted: HouseRefusal | None) -> str:
    """Write whether a prompt would pass, in both kinds of channels."""
    lines: list[str] = [_("**{prompt}**", prompt=escape(cut(prompt, LIST_CHARS)) or "-")]
    for place, refusal in (
        (_("In age-restricted channels"), age_restricted),
        (_("In other channels"), openly),
    ):
        if refusal is None:
            lines.append(_("✅ {place}: it would be drawn.", place=place))
        else:
            verdict = sentence(f"{refusal.user_message} {refusal.hint}")
            lines.append(_("🛡 {place}: {verdict}", place=place, verdict=verdict))
    lines.append(_("-# Nothing was drawn. Words of presets and wildcards are judged when a picture is asked for."))
    return joined("\n", lines)


def _reports(rules: HouseRules) -> str:
    if rules.reports_channel:
        return f"<#{rules.reports_channel}>"
    return _("no channel, so pictures cannot be reported")


def _why(rules: HouseRules) -> str:
    if rules.sexual_content is not UNSET.sexual_content:
        return ""
    return _(" (Discord asks that of every server)")


def _words(rules: HouseRules) -> str:
    parts: list[str] = []
    if rules.words:
        listed = escape(cut(", ".join(rules.words), LIST_CHARS))
        count = _n("{count} word", "{count} words", count=len(rules.words))
        parts.append(_("{count} ||{words}||", count=count, words=listed))
    if rules.patterns:
        parts.append(_n("{count} pattern", "{count} patterns", count=len(rules.patterns)))
    return joined(" · ", parts) or _("nothing")


def _elsewhere(rules: HouseRules) -> str:
    if rules.holds_elsewhere:
        return _("the same, as in a channel that is not age-restricted, where this server is at home")
    return _("free")


def _marked(ids: Sequence[str], mark: str) -> list[str]:
    return [f"<{mark}{each}>" for each in ids]


def _mentions(ids: Sequence[str], mark: str) -> str:
    return ", ".join(_marked(ids, mark))
