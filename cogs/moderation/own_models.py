"""Texts of `/engine models`, `fetch` and `delete`: values in, cards out."""

from typing import Final

from cogs.cards import Button, Card
from cogs.plain import escape, sentence
from constants import DISCORD_CONTENT_CHARS
from services.engines.own_models import GB, Fetch, ModelOffer, ModelTerms, OwnShelf
from texts.text import _, joined
from utils.text import cut

AGREE: Final = "agree-model"
STOP: Final = "stop-model"
MB: Final = 10**6


def shelf(found: OwnShelf) -> str:
    """List what can be fetched, and what is here."""
    lines = [_("**Models for the built-in engine**"), *(_offer(offer) for offer in found.offers)]
    if found.others:
        lines.append(_("Your own: {names}", names=", ".join(escape(name) for name in found.others)))
    lines.append(_("-# ✔ is here. `/engine fetch` shows size and licence first, and fetches nothing before you agree."))
    if not found.can_draw:
        lines.append(_("-# What draws with them is not installed. {hint}", hint=sentence(found.hint)))
    return cut(joined("\n", lines), DISCORD_CONTENT_CHARS)


def terms(found: ModelTerms) -> Card:
    """Show what would be fetched and under which licence, with the button that agrees to it."""
    model = found.offer.model
    left, size = found.left / GB, found.size / GB
    lines = [_("**{title}** · {left:.1f} of {size:.1f} GB are to be fetched.", title=model.title, left=left, size=size)]
    lines.append(_("Licence: {licence}, <{url}>", licence=model.licence, url=model.licence_url))
    if not model.is_commercial:
        lines.append(_("⚠️ This licence is not for commercial use."))
    if model.is_gated:
        lines.append(_("The hub gives it only to who has agreed there, with a token: `HF_TOKEN`."))
    lines.append(_("Good for: {good_for}. Here: {fits}.", good_for=model.good_for, fits=found.offer.fits))
    if not found.left and found.offer.is_here:
        return Card(content=joined("\n", [*lines, _("It is here already.")]))
    agree = Button(action=AGREE, job_id=model.name, label=_("I agree: fetch it"), style="primary")
    return Card(content=joined("\n", lines), rows=((agree,),))


def progress(fetch: Fetch) -> Card:
    """Show how far it is, or how it ended."""
    name = escape(fetch.name)
    if fetch.error is not None:
        words = [
            _("✖ {name}: {error}", name=name, error=sentence(fetch.error.user_message)),
            sentence(fetch.error.hint),
        ]
        return Card(content=joined("\n", filter(None, words)))
    if fetch.is_over:
        return Card(content=_("✅ {name} is here.", name=name))
    content = _(
        "⏬ {name}: {share:.0%} of {size:.1f} GB, {speed:.1f} MB a second",
        name=name, share=fetch.share, size=fetch.total / GB, speed=fetch.per_s / MB,
    )  # fmt: skip
    return Card(content=content, rows=((Button(action=STOP, job_id=fetch.name, label=_("Stop")),),))


def _offer(offer: ModelOffer) -> str:
    model = offer.model
    mark = "✔" if offer.is_here else "▫️"
    if offer.fetch and not offer.fetch.is_over:
        mark = f"⏬ {offer.fetch.share:.0%}"
    parts = [f"{mark} `{model.name}` {model.title}", f"{model.size_gb:g} GB", model.licence, offer.fits]
    return joined(" · ", parts)
