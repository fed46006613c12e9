"""Failures of text engines as our errors: their words in `{"error": {"type", "code", "message"}}`, and their statuses.

Sources: the error types of Anthropic's SDK 2.14 and OpenAI's 3.57, and Ollama's answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RequestRejected,
)
from lazy import dataclass
from net.answers import read_json
from net.failures import translate
from net.reasons import explanation, with_reason
from net.reply import Reply
from texts.text import _

OVERLOADED: Final = 529  # Anthropic's own
UNPAID: Final = frozenset({"billing_error", "insufficient_quota", "billing_hard_limit_reached"})
BLOCKED: Final = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
NO_MODEL: Final = frozenset({"not_found_error", "model_not_found"})
REWORD_HINT: Final = _("Word it differently.")
OWNER_HINT: Final = _("Its owner finds what to set in docs/text-engines.md, and what is wrong by `doctor`.")


@dataclass(frozen=True, kw_only=True)
class TextRefusal:
    """The words of a server about why it gives no answer."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""

    @property
    def marks(self) -> frozenset[str]:
        return frozenset({self.type, self.code})


def refusal_in(reply: Reply) -> TextRefusal:
    """Return what an answer says that is no success."""
    try:
        answer: Any = read_json(reply.body)
    except ValueError:
        return TextRefusal()
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return TextRefusal(message=explanation(reply.body))
    parts = {name: error.get(name) for name in ("message", "type", "code", "param")}
    return TextRefusal(**{name: part for name, part in parts.items() if isinstance(part, str)})


def refused(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    refusal, status = refusal_in(reply), reply.status
    detail = f"HTTP {status}: {refusal.type} {refusal.message}"[:500]
    if refusal.marks & UNPAID or status == HTTPStatus.PAYMENT_REQUIRED or "credit balance" in refusal.message:
        return BackendError(
            _("The account of {label} has no credit left.", label=label), detail=detail, hint=OWNER_HINT
        )
    if refusal.marks & BLOCKED:
        return blocked(label, refusal.message, detail)
    if status == HTTPStatus.NOT_FOUND and (refusal.marks & NO_MODEL or "model" in refusal.message):
        return CapabilityError(
            _("The model {label} is not at the address that is set.", label=label),
            detail=detail,
            hint=OWNER_HINT,
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return BackendAuthError(_("The key of {label} is refused.", label=label), detail=detail, hint=OWNER_HINT)
    if status == OVERLOADED:
        return BackendUnavailable(_("{label} is overloaded.", label=label), detail=detail)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        sentence = with_reason(_("{label} does not accept the question.", label=label), refusal.message)
        return RequestRejected(sentence, detail=detail, hint=OWNER_HINT)
    return translate(label, reply)


def blocked(label: str, reason: str, detail: str = "") -> ContentBlocked:
    """Return the error for words that a model, or the filter before it, does not take."""
    return ContentBlocked(
        with_reason(_("{label} refuses these words.", label=label), reason),
        field="prompt",
        detail=detail,
        hint=REWORD_HINT,
    )


@contextmanager
def for_words() -> Iterator[None]:
    """Take the advice on pictures from an error: smaller ones, or fewer steps, help no text engine."""
    try:
        yield
    except GenerationError as error:
        if error.hint not in (OWNER_HINT, REWORD_HINT):
            error.hint = ""
        raise
