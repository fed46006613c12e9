"""The error for a picture that an engine could not draw, from its own words: which field to change, or to try again."""

import re
from typing import Final

from generation.errors import BackendError, BackendUnavailable, GenerationError, RequestRejected
from lazy import pattern
from net.failures import DETAIL_CHARS, UNCLEAR_ATTEMPTS
from net.reasons import reason
from texts.text import _

# A value of the request is at fault: another engine of the same make would say the same.
_VALUE_FAULT: Final = pattern(
    r"\b(?:must (?:be|have|not)|should be|has to be|have to be|out of (?:range|bounds)|greater than|less than"
    r"|larger than|smaller than|not in (?:the )?list|at least|at most"
    r"|too (?:large|small|long|short|many|few|high|low|big)"
    r"|invalid value|not valid|divisible|exceeds?|unsupported|not supported|bad sampler|unknown)\b",
    re.I,
)
_FIELDS: Final = (
    ("sampler", pattern(r"\b(?:sampler|scheduler|solver|unipc|order)", re.I), _("--steps or --sampler")),
    ("steps", pattern(r"\bsteps?\b", re.I), "--steps"),
    ("size", pattern(r"\b(?:width|height|size|resolution|dimensions?|pixels?)\b", re.I), "--size"),
    ("cfg_scale", pattern(r"\b(?:cfg|guidance)", re.I), "--cfg"),
    ("seed", pattern(r"\bseed\b", re.I), "--seed"),
    ("denoising_strength", pattern(r"\b(?:denois\w*|strength)\b", re.I), "--strength"),
    ("batch_size", pattern(r"\b(?:batch|images per)\b", re.I), "--batch"),
    ("prompt", pattern(r"\b(?:prompt|tokens?)\b", re.I), _("the prompt")),
)
_PASSING: Final = pattern(
    r"\b(?:timed? ?out|connection|connect|temporar\w+|busy|unavailable|overloaded|cuda error|cudnn|cublas|device-side"
    r"|network|max retries|reset by peer|broken pipe|try again|retry)\b",
    re.I,
)


def drawing_error(label: str, text: object, *, detail: str = "", where: str = "") -> GenerationError:
    """Return our error for a picture that an engine could not draw, with its own reason.

    Args:
        label: the engine's name as people see it.
        text: its own words, with whatever stands around them.
        detail: for the log; the text itself if left out.
        where: which part of it failed: " in the node VAEDecode".
    """
    words, detail = reason(text), (detail or str(text))[:DETAIL_CHARS]
    if not words:
        return BackendError(
            _("{label} failed while drawing{where} and does not say why.", label=label, where=where),
            detail=detail,
            hint=_("Change the settings or the model."),
            may_have_run=True,
        ).for_owner(_("Its own log shows the reason."))
    given = (
        _("{label} failed{where} and says: {words}", label=label, where=where, words=words)
        if where
        else _("{label} says: {words}", label=label, words=words)
    )
    if _PASSING.search(words):
        hint = _("That may pass. Run it again in a while.")
        return BackendUnavailable(given, detail=detail, hint=hint, may_have_run=True, max_attempts=UNCLEAR_ATTEMPTS)
    field = next((entry for entry in _FIELDS if entry[1].search(words)), None)
    if field and _VALUE_FAULT.search(words):
        hint = _("Change {field}: with the same values it would fail again.", field=field[2])
        return RequestRejected(given, field=field[0], detail=detail, hint=hint)
    hint = _("With the same settings it would fail again: change them, or pick another model or engine.")
    return BackendError(given, detail=detail, hint=hint, may_have_run=True)
