"""The server's failures in our errors.

Source: recorded answers of A1111 1.10.1 and Forge, and the pages of the proxies that people put in front of them.
"""

from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
)
from net.answers import read_json
from net.failures import PROXY_STATUSES, translate, unanswered
from net.reasons import with_reason
from net.reply import Reply
from texts.text import _

GONE_HINT = _("Is the machine or pod still running? A new one has a new address.")


def translate_failure(label: str, reply: Reply) -> GenerationError:
    """Return our error for an answer of a generation call that is no success."""
    status = reply.status
    if reply.is_page and status in PROXY_STATUSES:
        silence = unanswered(label, reply, _("HTTP {status}, a web page", status=status))
        silence.may_have_run = True
        return silence
    if reply.is_page and status >= 500:
        return BackendUnavailable(
            _("{label} is not answering through its proxy.", label=label),
            detail=f"HTTP {status}, a web page",
            hint=_("It may be starting or busy. Try again in a minute."),
            may_have_run=True,
        )
    if status in {401, 403, 429} or status < 400:
        return translate(label, reply)
    name, text, fields = _explanation(reply.body)
    if status == 404 and reply.is_page:
        message = _("{label} is gone: nothing runs behind its address.", label=label)
        gone = BackendGone(message, reason=_("nothing runs there"), detail="HTTP 404, a web page")
        return gone.for_owner(GONE_HINT)
    if status == 404 and text in {"", "Not Found"}:
        failure = BackendError(_("{label} answers, but its API is off.", label=label), detail=text)
        return failure.for_owner(_("Start it with --api."))
    known = _known_failure(label, f"{name}: {text}")
    if known:
        return known
    if status < 500:
        what = _("the value of {fields}", fields=", ".join(fields)) if fields else _("this request")
        return RequestRejected(
            with_reason(_("{label} does not accept {what}.", label=label, what=what), text),
            field=fields[0] if fields else "",
            detail=f"HTTP {status}: {text}",
            hint=_("Try other settings."),
        )
    if not text:
        return translate(label, reply)
    return drawing_error(label, text, detail=f"HTTP {status}: {name}: {text}")


def translate_text(label: str, text: str) -> GenerationError:
    """Return our error for a job that failed with these words."""
    return _known_failure(label, text) or drawing_error(label, text)


def _explanation(body: bytes) -> tuple[str, str, list[str]]:
    """Return the exception's name, the first text that explains it, and the fields that a 422 complains of."""
    try:
        answer = read_json(body)
    except ValueError:
        return "", "", []
    if not isinstance(answer, dict):
        return "", "", []
    name = str(answer.get("error") or "")
    for key in ("errors", "message", "detail"):
        value = answer.get(key)
        if isinstance(value, list):
            items = [item for item in value if isinstance(item, dict)]
            fields = [str(item["loc"][-1]) for item in items if isinstance(item.get("loc"), list) and item["loc"]]
            return name, "; ".join(str(item.get("msg", "")) for item in items), fields
        if value:
            return name, str(value), []
    return name, name, []


def _known_failure(label: str, text: str) -> GenerationError | None:
    low = text.lower()
    detail = text[:500]
    if "outofmemory" in low or "out of memory" in low or "alloc_failed" in low:
        return OutOfMemory(
            _("{label} ran out of graphics memory.", label=label),
            detail=detail,
            hint=_("Try a smaller size or batch: 512×512 needs 4 GB, 768×768 6 GB, 1024×1024 8 GB, 1536×1536 12 GB."),
        )
    if "nansexception" in low or "with nans was produced" in low:
        return BackendError(
            _("{label} drew nothing but broken numbers with this model.", label=label),
            detail=detail,
            hint=_("Try another VAE or model."),
        ).for_owner(_("It may help to start it with --no-half-vae."))
    if "could not find upscaler" in low:
        return RequestRejected(
            _("{label} does not have that upscaler.", label=label),
            field="upscaler",
            detail=detail,
            hint=_("Leave it out, or pick another."),
        )
    if "could not find checkpoint" in low or ("model '" in low and "not found" in low):
        return RequestRejected(
            _("{label} does not have that model any more.", label=label),
            field="model",
            detail=detail,
            hint=_("Pick one from /models."),
        )
    if "clip state dict" in low or "vae state dict" in low:
        return BackendError(
            _("{label} is missing this model's text encoders or VAE.", label=label),
            detail=detail,
            hint=_("Pick another model."),
        ).for_owner(_("Add them to it; for Flux these are ae, clip_l and t5xxl."))
    if "init image not found" in low or "invalid encoded image" in low or "cannot identify image" in low:
        return RequestRejected(
            _("{label} cannot read that picture.", label=label),
            field="image",
            detail=detail,
            hint=_("Send it as PNG or JPEG."),
        )
    if "keyerror" in low:
        return BackendError(
            _("{label} does not know one of its own settings.", label=label),
            detail=detail,
            hint=_("Draw on another engine for now."),
        ).for_owner(_("It may have been updated: connect it again."))
    return None
