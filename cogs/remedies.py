"""Ways out of a refusal: orders that would be right in place of the one that was refused, each a button."""

from dataclasses import replace
from typing import Final

from cogs.answers import remedy_label
from cogs.cards import Style
from generation.caps import OverCap
from generation.money import Offer, OverBudget, PriceNotAgreed, dollars
from generation.order import Order, OrderKind
from lazy import dataclass
from texts.text import _
from utils.text import cut

ENGINE_CHARS: Final = 40  # of a name on a button
NOT_MOVED: Final = frozenset({OrderKind.COMPARE, OrderKind.PICK, OrderKind.CANCEL})  # no other engine can take these


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """An order, and the button that draws it."""

    order: Order
    label: str
    emoji: str = "🎨"
    style: Style = "primary"


def remedies_for(order: Order, error: Exception) -> tuple[Remedy, ...]:
    """Return what may be pressed where an order is refused; nothing is drawn before somebody does."""
    if isinstance(error, OverCap) and error.remedy is not None:
        remedy = error.remedy
        others = tuple(remedy.over(draft) for draft in order.others)
        return (
            Remedy(order=replace(order, draft=remedy.over(order.draft), others=others), label=remedy_label(remedy)),
        )
    if isinstance(error, PriceNotAgreed):
        label = _("Draw for {usd}", usd=dollars(error.usd))
        return (Remedy(order=replace(order, agreed_usd=error.usd), label=label, emoji="💳"),)
    if isinstance(error, OverBudget) and order.kind not in NOT_MOVED:
        return tuple(_elsewhere(order, offer) for offer in error.offers)
    return ()


def _elsewhere(order: Order, offer: Offer) -> Remedy:
    """Return the order on another engine or model, and what it costs there."""
    drafts = [replace(draft, backend=offer.backend, model=offer.model) for draft in order.drafts]
    drop = order.drop if offer.model or not order.job_id else tuple(dict.fromkeys((*order.drop, "model")))
    moved = replace(order, draft=drafts[0], others=tuple(drafts[1:]), drop=drop, agreed_usd=offer.usd)
    engine = cut(offer.label, ENGINE_CHARS)
    if not offer.usd:
        return Remedy(order=moved, label=_("Draw on {engine}, free", engine=engine), style="success")
    label = _("Draw with {engine} for {usd}", engine=engine, usd=dollars(offer.usd))
    return Remedy(order=moved, label=label, emoji="💳", style="secondary")
