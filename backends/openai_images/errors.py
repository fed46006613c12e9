"""Refusals and failures of these servers in our errors.

Sources: OpenAI's guide to errors and public reports of what it answers; FastAPI's `{"detail"}` of vLLM-Omni; the plain
`{"error": text}` of stable-diffusion.cpp. Code and type are looked at before the status: a used-up account has the
status of a rate limit.
"""

import re
from http import HTTPStatus
from typing import Any, Final

from backends.drawing_errors import drawing_error
from backends.openai_images.dialects.known import RETIRED
from backends.refusals import no_credit_left, not_accepted, slow_down
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RequestRejected,
)
from lazy import dataclass, pattern
from net.answers import read_json
from net.failures import DETAIL_CHARS, UNCLEAR_ATTEMPTS, parse_retry_after, translate
from net.reasons import explanation, reason, with_reason
from net.reply import Reply
from texts.text import _

BLOCKED: Final = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation", "content_filter",
     "safety_violation"}
)  # fmt: skip
UNPAID: Final = frozenset(
    {"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "billing_not_active",
     "insufficient_credits"}
)  # fmt: skip
NO_MODEL: Final = frozenset({"model_not_found", "model_deprecated", "invalid_model"})
RATE_RETRY_AFTER_S: Final = 20.0
_IN_WORDS: Final = pattern(r"try again in (\d+(?:\.\d+)?) ?(ms|s)\b", re.IGNORECASE)
_CATEGORIES: Final = pattern(r"safety_violations=\[([\w ,/-]{1,100})\]")
_SAFETY: Final = pattern(r"safety system|content polic|moderation|nsfw|flagged", re.IGNORECASE)
_NAMES: Final = {
    "n": "batch_size", "size": "size", "prompt": "prompt", "seed": "seed", "steps": "steps", "image": "image",
    "mask": "mask", "num_inference_steps": "steps", "guidance_scale": "cfg_scale",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ImagesRefusal:
    """An error as it calls itself; `categories` are what a filter found."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""
    categories: tuple[str, ...] = ()
    is_output: bool = False  # the picture was refused, not the words

    @property
    def marks(self) -> frozenset[str]:
        return frozenset({self.code, self.type}) - {""}


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer that is no success."""
    refusal = read_refusal(reply.body)
    if reply.is_page or (reply.status >= 500 and not refusal.message):
        return translate(label, reply)
    detail = f"HTTP {reply.status} {refusal.code or refusal.type}: {refusal.message}"[:DETAIL_CHARS]
    if error := of_refusal(label, refusal, detail):
        return error
    return _by_status(label, reply, refusal, detail)


def of_refusal(label: str, refusal: ImagesRefusal, detail: str) -> GenerationError | None:
    """Return our error for what a refusal calls itself, None where only its status tells."""
    marks = refusal.marks
    if marks & UNPAID:
        return no_credit_left(label, detail)
    if marks & BLOCKED or (refusal.categories and refusal.message):
        return blocked(label, refusal, detail)
    if marks & NO_MODEL:
        return _no_model(label, refusal, detail)
    if "must be verified" in refusal.message:
        return BackendAuthError(
            _("{label} draws with this model only for organizations that it has verified.", label=label),
            detail=detail,
            hint=_("Pick another model or engine."),
        ).for_owner(_("Verify the organization in the settings of that account, or set another MODEL."))
    return None


def blocked(label: str, refusal: ImagesRefusal, detail: str) -> ContentBlocked:
    """Return the error for what a filter refused, with what it found."""
    found = ", ".join(refusal.categories)
    if refusal.is_output:
        sentence = _("The filter of {label} held the picture back", label=label)
    else:
        sentence = _("The filter of {label} refuses this", label=label)
    sentence = _("{sentence}: {found}.", sentence=sentence, found=found) if found else f"{sentence}."
    if not found:
        sentence = with_reason(sentence, _without_contact(refusal.message))
    return ContentBlocked(sentence, field="prompt", detail=detail, hint=_("Word it differently, or draw elsewhere."))


def read_refusal(body: bytes) -> ImagesRefusal:
    """Read an error in any of the forms that these servers have."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return ImagesRefusal()
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        marks = answer if isinstance(answer, dict) else {}
        return ImagesRefusal(message=explanation(body), param=_field_of(answer), code=_text(marks.get("code")))
    return refusal_of(error)


def refusal_of(error: dict[str, Any]) -> ImagesRefusal:
    """Read OpenAI's own form."""
    message, more = _text(error.get("message")), error.get("moderation_details") or error.get("metadata")
    listed = (more.get("categories") or more.get("reasons")) if isinstance(more, dict) else None
    found = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    if not found and (match := _CATEGORIES.search(message)):
        found = [part.strip() for part in match[1].split(",")]
    return ImagesRefusal(
        message=message,
        type=_text(error.get("type")),
        code=_text(error.get("code")),
        param=_text(error.get("param")),
        categories=tuple(item[:40] for item in found[:8]),
        is_output=isinstance(more, dict) and more.get("moderation_stage") == "output",
    )


def _by_status(label: str, reply: Reply, refusal: ImagesRefusal, detail: str) -> GenerationError:
    status, text = reply.status, refusal.message
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return slow_down(label, detail, _wait_s(reply, text))
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return of_refusal(label, ImagesRefusal(code="insufficient_quota"), detail) or translate(label, reply)
    if status == HTTPStatus.UNAUTHORIZED:
        return BackendAuthError(
            _("{label} refuses the key.", label=label),
            detail=detail,
            hint=_("Its owner has to set one that is valid there."),
        )
    if status == HTTPStatus.FORBIDDEN and _SAFETY.search(text):  # OpenRouter's, with its reasons
        return blocked(label, refusal, detail)
    if status == HTTPStatus.FORBIDDEN:
        return BackendAuthError(
            _("{label} does not let this key draw.", label=label),
            detail=detail,
            hint=_("Draw on another engine."),
        ).for_owner(_("Look at the account of that key: its rights, its country, its allowed addresses."))
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        if _SAFETY.search(text):
            return blocked(label, refusal, detail)
        return _refused(label, refusal, detail)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return BackendUnavailable(
            _("{label} is overloaded.", label=label),
            detail=detail,
            retry_after=parse_retry_after(reply.headers.get("retry-after")),
            hint=_("Try again in a minute."),
        )
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and reason(text):
        return _failed(label, refusal, detail)
    return translate(label, reply)


def _failed(label: str, refusal: ImagesRefusal, detail: str) -> GenerationError:
    """Its own words for a failure: it drew nothing, and charges nothing for that."""
    error: GenerationError
    if "server_error" in refusal.marks:
        error = BackendUnavailable(
            with_reason(_("{label} failed inside.", label=label), refusal.message),
            detail=detail,
            hint=_("Try again in a moment."),
            max_attempts=UNCLEAR_ATTEMPTS,
        )
    else:
        error = drawing_error(label, refusal.message, detail=detail)
    if isinstance(error, BackendError):
        error.may_have_run = False
    return error


def _refused(label: str, refusal: ImagesRefusal, detail: str) -> RequestRejected:
    field = _NAMES.get(refusal.param.partition("[")[0], refusal.param if refusal.param.isidentifier() else "")
    return not_accepted(label, field, refusal.message, detail)


def _no_model(label: str, refusal: ImagesRefusal, detail: str) -> CapabilityError:
    gone = next((name for name in sorted(RETIRED, key=len, reverse=True) if name in refusal.message), "")
    sentence = (
        _("{label} shut the model {gone} down on {end}.", label=label, gone=gone, end=RETIRED[gone])
        if gone
        else _("{label} has no such model for this key.", label=label)
    )
    return CapabilityError(sentence, field="model", detail=detail, hint=_("Pick another one: /models tells."))


def _wait_s(reply: Reply, text: str) -> float:
    milliseconds = reply.headers.get("retry-after-ms", "")
    if milliseconds.isascii() and milliseconds.isdigit():
        return max(1.0, int(milliseconds[:9]) / 1000)
    given = parse_retry_after(reply.headers.get("retry-after"))
    if given is not None:
        return max(1.0, given)
    if match := _IN_WORDS.search(text):
        return max(1.0, float(match[1]) / (1000 if match[2].lower() == "ms" else 1))
    return RATE_RETRY_AFTER_S


def _without_contact(text: str) -> str:
    """Leave out whom to write to with which number: only the first sentence is for people."""
    return text.split(". ")[0]


def _field_of(answer: Any) -> str:
    """Return the field that FastAPI complains of."""
    detail = answer.get("detail") if isinstance(answer, dict) else None
    first = detail[0] if isinstance(detail, list) and detail else None
    place = first.get("loc") if isinstance(first, dict) else None
    return _text(place[-1]) if isinstance(place, list) and place else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
