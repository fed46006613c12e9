"""Names for what goes wrong between us and a server, in words for people.

Source: RFC 9110 (Retry-After, status codes), the httpx exception tree, and Cloudflare's own codes 520-527.
"""

import binascii
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from net.reasons import explanation, with_reason
from net.reply import AnswerTooLarge, Reply
from texts.text import _

MAX_RETRY_AFTER_S = 24 * 3600.0
DETAIL_CHARS = 500
UNCLEAR_ATTEMPTS = 2  # where the request itself may be what breaks the engine: once more at most
UNREACHABLE_HINT = _("Check that it is running and that no firewall is between.")
PROXY_STATUSES = frozenset({502, 503, 504, *range(520, 528), 530})  # a proxy speaks, not the engine
GONE_STATUSES = frozenset({502, 503, 521, 522, 523, 525, 526, 530})  # the others: it is there, but slow or broken
UNSENT_STATUSES = frozenset({503, 521, 523, 525, 526, 530})  # the proxy never reached the engine


def translate(label: str, failure: Exception | Reply, *, may_have_run: bool | None = None) -> GenerationError:
    """Return what went wrong between us and the engine called `label`, in words for people.

    Args:
        label: the engine's name as people see it; a URL never appears in the text.
        failure: an exception of httpx, of JSON or of pydantic, or an answer that is no success.
        may_have_run: overrides the judgement whether the engine may have accepted the request.
    """
    if isinstance(failure, GenerationError):
        return failure
    error = _of_reply(label, failure) if isinstance(failure, Reply) else _of_exception(label, failure)
    if may_have_run is not None and isinstance(error, BackendError):
        error.may_have_run = may_have_run
    return error


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, given as seconds or as an HTTP date; None when unreadable."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (moment.astimezone(UTC) - (now or datetime.now(UTC))).total_seconds()
    if seconds != seconds:  # "nan" is a float, but no time to wait
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def unanswered(label: str, reply: Reply, detail: str) -> BackendUnavailable:
    """Return the error for a proxy's own answer: the engine behind it is gone, or only slow."""
    message, hint = (
        _("{label} is not answering through its proxy.", label=label),
        _("It may be starting or busy. Try again in a minute."),
    )
    after = parse_retry_after(reply.headers.get("retry-after"))
    may_have_run = reply.status not in UNSENT_STATUSES
    if reply.status in GONE_STATUSES:
        return BackendGone(
            message, reason=_("nothing behind its proxy"), detail=detail, retry_after=after, hint=hint,
            may_have_run=may_have_run,
        )  # fmt: skip
    return BackendUnavailable(message, detail=detail, retry_after=after, hint=hint, may_have_run=may_have_run)


def _of_reply(label: str, reply: Reply) -> GenerationError:
    status = reply.status
    detail = f"HTTP {status}: {_excerpt(reply.body)}"
    if status == 401 or status == 403:
        return BackendAuthError(
            _("{label} refuses the key or password.", label=label),
            detail=detail,
            hint=_("Its owner has to connect it again."),
        )
    if status == 429:
        after = parse_retry_after(reply.headers.get("retry-after"))
        return RateLimited(
            _("{label} asks us to slow down.", label=label), detail=detail, retry_after=after, hint=_("Wait a little.")
        )
    if status in PROXY_STATUSES:
        return unanswered(label, reply, detail)
    if status >= 500:
        return BackendUnavailable(
            with_reason(_("{label} failed inside.", label=label), explanation(reply.body)),
            detail=detail,
            hint=_("Its own log shows more. Change the settings if it lasts."),
            may_have_run=True,
            max_attempts=UNCLEAR_ATTEMPTS,
        )
    if 300 <= status < 400:
        return BackendError(
            _("{label} has moved to another address.", label=label),
            detail=detail,
            hint=_("Connect it by its new address."),
        )
    if status == 404 or status == 405:
        return UnexpectedAnswer(
            _("{label} does not know what we asked for.", label=label),
            detail=detail,
            hint=_("Check that the address belongs to this kind of engine."),
        )
    if status >= 400:
        sentence = with_reason(_("{label} does not accept this request.", label=label), explanation(reply.body))
        return RequestRejected(sentence, detail=detail, hint=_("Try other settings."))
    if reply.is_page:
        return UnexpectedAnswer(
            _("{label} answers with a web page.", label=label),
            detail=detail,
            hint=_("Check that the address belongs to an engine."),
            may_have_run=True,
        )
    return _unreadable(label, _("gave an answer that cannot be read"), detail)


def _of_exception(label: str, error: Exception) -> GenerationError:
    detail = f"{type(error).__name__}: {error}"[:DETAIL_CHARS]
    if isinstance(error, httpx.ConnectTimeout):
        return BackendGone(_("{label} cannot be reached.", label=label), detail=detail, hint=UNREACHABLE_HINT)
    if isinstance(error, httpx.PoolTimeout):  # all our connections to it are busy: it is there
        return BackendUnavailable(_("{label} cannot be reached.", label=label), detail=detail, hint=UNREACHABLE_HINT)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return BackendUnavailable(
            _("{label} did not answer in time.", label=label), detail=detail, may_have_run=True,
            hint=_("Try again, smaller or with fewer steps."),
        )  # fmt: skip
    if isinstance(error, httpx.ConnectError):
        what, hint, reason = _why_unconnected(error)
        return BackendGone(f"{label} {what}.", reason=reason, detail=detail, hint=hint)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return BackendError(
            _("The address of {label} is not valid.", label=label), detail=detail, hint=_("Connect it again.")
        )
    if isinstance(error, httpx.DecodingError | AnswerTooLarge):
        what = (
            _("answers with more than any picture needs")
            if isinstance(error, AnswerTooLarge)
            else _("sends answers that cannot be read")
        )
        return _unreadable(label, what, detail)
    if isinstance(error, httpx.TransportError):
        return BackendUnavailable(
            _("{label} lost the connection.", label=label),
            detail=detail,
            hint=_("Try again in a moment."),
            may_have_run=True,
        )
    if isinstance(error, ValidationError):
        detail = f"ValidationError: {error.errors(include_input=False, include_url=False)[:3]}"[:DETAIL_CHARS]
    if isinstance(error, ValidationError | binascii.Error | ValueError):  # JSON and Unicode errors are ValueErrors
        return _unreadable(label, _("gave an answer that cannot be read"), detail)
    return BackendError(
        _("{label} failed.", label=label), detail=detail, hint=_("The owner of this bot finds more in the log.")
    )


def _unreadable(label: str, what: str, detail: str) -> UnexpectedAnswer:
    """It did answer, so it may well have drawn and charged: a paid request is not sent again because of this."""
    return UnexpectedAnswer(f"{label} {what}.", detail=detail, may_have_run=True)


def _why_unconnected(error: Exception) -> tuple[str, str, str]:
    """Return what is wrong, what to check, and the same in a word or two."""
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes).lower()
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "name or service not known" in text:
        hint = _("Check the address for typing errors, and that the pod still runs.")
        return _("has an address that does not exist"), hint, _("no such address")
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "certificate" in text or "[ssl" in text:
        hint = _("Check http or https, and the certificate.")
        return _("has no valid certificate for a safe connection"), hint, _("no valid certificate")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return _("is not running there"), _("Start it, and check the port."), "refused"
    return _("cannot be reached"), UNREACHABLE_HINT, _("no answer")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, what caused it, and the members of groups: happy eyeballs fails once per address."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


def _excerpt(body: bytes) -> str:
    return " ".join(body[:DETAIL_CHARS].decode("utf-8", "replace").split())
