"""Refusals as every door for programs says them: the same words and fields over HTTP, a bus, or to an assistant."""

import math
from typing import Any, Final

from generation.errors import GenerationError, LimitReached, NotAllowed
from generation.fields import RANGES
from generation.money import OverBudget, PriceNotAgreed
from generation.person import Person
from texts.text import _
from utils.text import plain_words

AGREE_HINT: Final = _("Send it again with max_cost_usd.")
MOST_FIELD_CHARS: Final = 100  # of a name that somebody made up
# Kinds of values by how pydantic's names of errors begin (`int_parsing`, `bool_type`).
WANTED: Final = {"int": _("a whole number"), "float": _("a number"), "bool": _("true or false"), "list": _("a list")}


class SignInNeeded(GenerationError):
    """The caller is not known: sign in, or send an API key."""

    code = "sign_in"
    usual_hint = _("Send the header Authorization: Bearer esl_...; `python main.py key create NAME` makes a key.")


class Forbidden(NotAllowed):
    """This key may not do that."""

    def __init__(self, scope: str) -> None:
        super().__init__(_("This needs the scope “{scope}”, which your key or session does not have.", scope=scope))


def check_scope(person: Person, scope: str) -> None:
    """Let only who has a scope go on.

    Raises:
        Forbidden: this person has not.
    """
    if not person.may(scope):
        raise Forbidden(scope)


def unknown_key() -> SignInNeeded:
    """Return the error for a key that is none of ours."""
    return SignInNeeded(_("No such API key is in use here: it is mistyped, revoked or expired."))


def error_body(error: GenerationError) -> dict[str, Any]:
    """Return what went wrong, as Easel says it everywhere but in a dialect with a form of its own."""
    body: dict[str, Any] = {
        "error": plain_words(error.user_message),
        "hint": plain_words(error.hint),
        "field": getattr(error, "field", "") or None,
        "code": error.code,
        "retry_after": retry_after(error),
    }
    if isinstance(error, PriceNotAgreed):
        body |= {"cost_usd": error.usd, "hint": error.hint or plain_words(AGREE_HINT)}
    if isinstance(error, OverBudget):
        body["offers"] = [
            {"engine": offer.label, "backend": offer.backend, "model": offer.model, "cost_usd": offer.usd}
            for offer in error.offers
        ]
    return body


def retry_after(error: GenerationError) -> int | None:
    """Whole seconds after which it is worth trying again; a refusal for being too many always has some."""
    if error.retry_after is None:
        return 5 if isinstance(error, LimitReached) else None
    return max(1, math.ceil(error.retry_after))


def wrong_value(found: dict[str, Any], field: str) -> dict[str, Any]:
    """Return which value is wrong and what would be right, from what pydantic found."""
    field = field[:MOST_FIELD_CHARS]
    return {
        "error": _sentence(found, field),
        "hint": "",
        "field": field or None,
        "code": "request_rejected",
        "retry_after": None,
    }


def _sentence(found: dict[str, Any], field: str) -> str:
    """Name the field and what would be right; the validator's own words only where there are no plainer ones."""
    kind, limits = found["type"], f", {RANGES[field]}" if field in RANGES else ""
    if kind == "extra_forbidden":
        return _("{field}: there is no such field here.", field=field)
    if kind == "missing":
        return _("{field} is missing.", field=field)
    if wanted := WANTED.get(kind.partition("_")[0]):
        return _("{field} must be {wanted}{limits}.", field=field, wanted=wanted, limits=limits)
    what = found["msg"].removeprefix("Value error, ")
    allowed = _(" It must be {ranges}.", ranges=RANGES[field]) if limits else ""
    return (f"{field}: {what[:1].lower()}{what[1:]}." if field else f"{what}.") + allowed
