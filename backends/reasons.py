"""An engine's own reason for a failure, as one line that may be shown to anybody.

Engines answer with tracebacks, paths of their owner, addresses, keys and markup around the one sentence that helps.
Everything of that kind becomes "…" here; what is left is bounded and printable. Escaping for a place (Discord, HTML)
is that place's own business.
"""

import re
from http import HTTPStatus
from typing import Any, Final

from backends.answers import read_json
from generation.errors import BackendError, BackendUnavailable, GenerationError, RequestRejected

MAX_REASON_CHARS: Final = 160
MAX_LINE_CHARS: Final = 1_000  # of one line, so that no pattern runs long
MAX_READ_CHARS: Final = 20_000  # of what an engine says; the reason stands at the beginning or the end of it
DETAIL_CHARS: Final = 500
UNCLEAR_ATTEMPTS: Final = 2  # where the request itself may be what breaks the engine: once more at most

_TRACEBACK: Final = re.compile(r"traceback \(most recent call last\)", re.I)
_ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_PAGE: Final = re.compile(r"\s*<(?:!doctype|html|head|body)\b", re.I)
_EXCEPTION: Final = re.compile(r"^(?:[\w.]*\.)?\w*(?:Error|Exception|Interrupt|Warning)\b\s*(?::\s*|\(\s*(?=['\"])|$)")
_TAG: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_UNSPEAKABLE: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"!?\[([^\[\]]*)\]\([^()\s]*\)", 0),  # a link: its words stay
        (r"<(?:[A-Za-z/!?@#:&])[^<>]*>", 0),  # tags, mentions and <class '...'>; "a < b" stays
        (r"\b[a-z][a-z0-9+.-]{1,15}://\S+", re.I),
        (r"(['\"])(?=[^'\"]*[\\/][^'\"]*[\\/.])[^'\"\n]*\1", 0),  # a path in quotation marks, with its spaces
        (r"\b[a-z]:\\(?:[^:*?\"<>|\n]*\\)?[^\s:*?\"<>|]*", re.I),
        (r"/(?:home|Users|root)/[^:'\"<>|\n]*/[^\s:'\"<>|,;)]*", 0),
        (r"\b(?:bearer|basic)\s+[\w.+/=~-]{6,}", re.I),
        (
            r"\b(?:api[ _-]?key|key|token|secret|passw(?:or)?d|pwd|authorization)\b['\"]?\s*[:=]\s*['\"]?[^\s'\",;]+",
            re.I,
        ),
        (r"\b(?:api[ _-]?key|key|token|secret|passw(?:or)?d|pwd)\s+['\"]?(?=[\w-]*\d)[\w-]{6,}", re.I),
        (r"\b(?:sk|pk|rk|r8|hf|gh[pousr]|grid|rpa|xox[abp]|esl)[-_][\w-]{6,}", 0),
        (r"\beyJ[\w-]+\.[\w.-]+", 0),
        (r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}\b", 0),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I),
        (r"\b0x[0-9a-f]{5,}\b", re.I),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", 0),
        (r"\b(?:localhost|[\w-]+(?:\.[\w-]+)+):\d{2,5}\b", re.I),
        (r"\bhost=['\"]?[^\s'\",)]+['\"]?", re.I),
        (r"\S*@\S*", 0),
        (r"\b[\w.]*\w(?:Error|Exception)\b", 0),
    )
)
_SLASHED: Final = re.compile(r"\S*[\\/]\S*")
_HARMLESS: Final = re.compile(r"\W*(?:\d+(?:\.\d+)?/\d+(?:\.\d+)?|\w{1,3}/\w{1,4})\W*|/")  # 3/20, and/or, a / b
_DOTS: Final = re.compile(r"(?:['\"(\[{]*…[…\s,;:'\")\]}]*){2,}")
_STOCK: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)  # "Internal Server Error" is no reason
_WORD: Final = re.compile(r"[^\W\d_]{2}")

# A value of the request is at fault: another engine of the same make would say the same.
_VALUE_FAULT: Final = re.compile(
    r"\b(?:must (?:be|have|not)|should be|has to be|have to be|out of (?:range|bounds)|greater than|less than"
    r"|larger than|smaller than|not in (?:the )?list|at least|at most"
    r"|too (?:large|small|long|short|many|few|high|low|big)"
    r"|invalid value|not valid|divisible|exceeds?|unsupported|not supported|bad sampler|unknown)\b",
    re.I,
)
_FIELDS: Final = (
    ("sampler", re.compile(r"\b(?:sampler|scheduler|solver|unipc|order)", re.I), "--steps or --sampler"),
    ("steps", re.compile(r"\bsteps?\b", re.I), "--steps"),
    ("size", re.compile(r"\b(?:width|height|size|resolution|dimensions?|pixels?)\b", re.I), "--size"),
    ("cfg_scale", re.compile(r"\b(?:cfg|guidance)", re.I), "--cfg"),
    ("seed", re.compile(r"\bseed\b", re.I), "--seed"),
    ("denoising_strength", re.compile(r"\b(?:denois\w*|strength)\b", re.I), "--strength"),
    ("batch_size", re.compile(r"\b(?:batch|images per)\b", re.I), "--batch"),
    ("prompt", re.compile(r"\b(?:prompt|tokens?)\b", re.I), "the prompt"),
)
_PASSING: Final = re.compile(
    r"\b(?:timed? ?out|connection|connect|temporar\w+|busy|unavailable|overloaded|cuda error|cudnn|cublas|device-side"
    r"|network|max retries|reset by peer|broken pipe|try again|retry)\b",
    re.I,
)


def reason(text: object) -> str:
    """Return what an engine says as one sentence fit for anybody; empty when nothing readable is left."""
    if not isinstance(text, str) or _PAGE.match(text) or text.strip(" .").casefold() in _STOCK:
        return ""
    whole = _telling_line(_ANSI.sub("", text))[:MAX_LINE_CHARS].strip().strip("'\"")
    line = _EXCEPTION.sub("", whole)
    if line[:1] in {"'", '"'}:  # what was `ValueError("...")`
        line = line.rstrip(")")
    line = _TAG.sub("", line.replace("`", "")).strip("'\" ")
    line = _UNSPEAKABLE[0].sub(r"\1", line)
    for pattern in _UNSPEAKABLE[1:]:
        line = pattern.sub("…", line)
    line = _SLASHED.sub(lambda found: found[0] if _HARMLESS.fullmatch(found[0]) else "…", line)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
    line = _DOTS.sub("… ", line).strip().strip("'\"")
    if not _WORD.search(line):
        return ""
    if len(line) > MAX_REASON_CHARS:
        line = line[: MAX_REASON_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:…") + "…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def with_reason(sentence: str, text: object) -> str:
    """Add what the engine says to a sentence about it, where that says more."""
    words = reason(text)
    return f"{sentence} It says: {words}" if words else sentence


def explanation(body: bytes) -> str:
    """Return the words that explain an error in a body of JSON, uncleaned; anything else may be a proxy's page."""
    try:
        return _words_of(read_json(body), 3)
    except (ValueError, RecursionError):
        return ""


def failure(label: str, text: object, *, detail: str = "", where: str = "") -> GenerationError:
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
            f"{label} failed while drawing{where} and does not say why.",
            detail=detail,
            hint="Its own log shows the reason. Change the settings or the model.",
            may_have_run=True,
        )
    said = f"{label} failed{where} and says: {words}" if where else f"{label} says: {words}"
    if _PASSING.search(words):
        hint = "That may pass. Run it again in a while."
        return BackendUnavailable(said, detail=detail, hint=hint, may_have_run=True, max_attempts=UNCLEAR_ATTEMPTS)
    field = next((entry for entry in _FIELDS if entry[1].search(words)), None)
    if field and _VALUE_FAULT.search(words):
        hint = f"Change {field[2]}: with the same values it would fail again."
        return RequestRejected(said, field=field[0], detail=detail, hint=hint)
    hint = "With the same settings it would fail again: change them, or pick another model or engine."
    return BackendError(said, detail=detail, hint=hint, may_have_run=True)


def _telling_line(text: str) -> str:
    """Return the line with the reason: the last of a traceback, else the first (and what follows a ":")."""
    text = text[-MAX_READ_CHARS:] if _TRACEBACK.search(text) else text[:MAX_READ_CHARS]
    parts = _TRACEBACK.split(text)
    lines = [line for line in parts[-1].splitlines() if line.strip()]
    if len(parts) > 1:
        lines = [line for line in lines if not line.startswith((" ", "\t")) and line.strip() != ":"]
        named = [number for number, line in enumerate(lines) if _EXCEPTION.match(line)]
        lines = lines[named[-1] :] if named else lines[-1:]
    if not lines:
        return ""
    first = lines[0].strip()
    return f"{first} {lines[1].strip()}" if first.endswith(":") and len(lines) > 1 else first


def _words_of(answer: Any, depth: int) -> str:
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        parts = [_words_of(item, depth - 1) for item in answer[:5]] if depth else []
        return "; ".join(part for part in parts if part)
    if not isinstance(answer, dict) or not depth:
        return ""
    for key in ("errors", "message", "msg", "detail", "error", "details", "error_message"):
        if words := _words_of(answer.get(key), depth - 1):
            return words
    return ""
