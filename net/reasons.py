"""An engine's own reason for a failure, as one line that may be shown to anybody.

Engines answer with tracebacks, paths of their owner, addresses, keys and markup around the one sentence that helps.
Everything of that kind becomes "…" here; what is left is bounded and printable. Escaping for a place (Discord, HTML)
is that place's own business.
"""

import re
from http import HTTPStatus
from typing import Any, Final

from lazy import pattern
from net.answers import read_json
from texts.text import _

MAX_REASON_CHARS: Final = 160
MAX_LINE_CHARS: Final = 1_000  # of one line, so that no pattern runs long
MAX_READ_CHARS: Final = 20_000  # of what an engine says; the reason stands at the beginning or the end of it

_TRACEBACK: Final = pattern(r"traceback \(most recent call last\)", re.I)
_ANSI: Final = pattern(r"\x1b\[[0-?]*[ -/]*[@-~]")
_PAGE: Final = pattern(r"\s*<(?:!doctype|html|head|body)\b", re.I)
_EXCEPTION: Final = pattern(r"^(?:[\w.]*\.)?\w*(?:Error|Exception|Interrupt|Warning)\b\s*(?::\s*|\(\s*(?=['\"])|$)")
_TAG: Final = pattern(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_UNSPEAKABLE: Final = tuple(
    pattern(text, flags)
    for text, flags in (
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
_SLASHED: Final = pattern(r"\S*[\\/]\S*")
_HARMLESS: Final = pattern(r"\W*(?:\d+(?:\.\d+)?/\d+(?:\.\d+)?|\w{1,3}/\w{1,4})\W*|/")  # 3/20, and/or, a / b
_DOTS: Final = pattern(r"(?:['\"(\[{]*…[…\s,;:'\")\]}]*){2,}")
_STOCK: Final = frozenset(status.phrase.casefold() for status in HTTPStatus)  # "Internal Server Error" is no reason
_WORD: Final = pattern(r"[^\W\d_]{2}")


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
    for hidden in _UNSPEAKABLE[1:]:
        line = hidden.sub("…", line)
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
    return _("{sentence} It says: {words}", sentence=sentence, words=words) if words else sentence


def explanation(body: bytes) -> str:
    """Return the words that explain an error in a body of JSON, uncleaned; anything else may be a proxy's page."""
    try:
        return _words_of(read_json(body), 3)
    except (ValueError, RecursionError):
        return ""


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
