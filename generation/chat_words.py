"""Remove what chats and keyboards put around a prompt: code blocks, emoji, mentions, times, invisible characters.

Source: https://discord.com/developers/docs/reference#message-formatting. What stands in quotation marks stays.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from generation.foreign import clean_line
from lazy import pattern
from texts.text import _

# A quotation starts a word, ends one and holds no other; inside it \" and \\ stand for " and \, and -- is only text.
# That it ends where another one begins keeps the search linear, however many quotes are left open.
QUOTED: Final = r"""(?<![^\s=:])["“”„](?:\\.|[^\\"“”„]|(?<![\s=:])["“”„](?![\s,.;:!?)]|$))*["“”](?=[\s,.;:!?)]|$)"""

# As Discord draws it: a word that fills the first line is the language and is not shown.
_BLOCK: Final = pattern(
    rf"(?P<quoted>{QUOTED})|```(?:[A-Za-z0-9_+.#-]+\n(?=\s*[^\s`]))?(?P<inside>.*?)(?:```|\Z)", re.DOTALL
)
_CODE: Final = pattern(r"(`{1,2})([^`]+)\1(?=\s*\Z|\s+[^\w\s`]*--)")
_MARK: Final = pattern(
    rf"(?P<quoted>{QUOTED})"
    r"|<a?:(?P<emoji>\w{1,64}):\d{1,25}>"
    r"|<(?P<kind>@[!&]?|\#)(?P<id>\d{1,25})>"
    r"|<t:(?P<time>-?\d{1,17})(?::(?P<form>[tTdDfFRsS]))?>"
    r"|</(?P<command>[^:<>]{1,100}):\d{1,25}>"
    r"|<(?:id:\w{1,20}|sound:\d{1,25}:\d{1,25})>",
    re.DOTALL,
)
_FORMS: Final = {
    "t": "%H:%M", "T": "%H:%M:%S", "d": "%d/%m/%Y", "D": "{day} %B %Y", "f": "{day} %B %Y %H:%M",
    "F": "%A, {day} %B %Y %H:%M", "R": "{day} %B %Y", "s": "%d/%m/%Y %H:%M", "S": "%d/%m/%Y %H:%M:%S",
}  # fmt: skip
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters without ink, typed to seem a space
_JOINERS: Final = frozenset("\u200c\u200d")  # hold emoji and letters of some scripts together
_FLAG: Final = "\U0001f3f4"  # what follows it in invisible letters says which flag
_KEYCAP: Final = "\u20e3"
_NOT_IN_NAMES: Final = pattern(r"[<>(){}\[\]|\\:\"“”„]|[-‐-―−]{2,}|(?<!\w)[-‐-―−]|[-‐-―−](?!\w)")


def plain_words(text: str, names: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return a text as people see it, in one line, and remarks on what had to be left out.

    Args:
        text: as it was typed.
        names: what mentions stand for, by `@id` of a person, `@&id` of a role and `#id` of a channel.
    """
    text = seen(text).strip()
    if "`" in text:
        text = _BLOCK.sub(lambda found: found["quoted"] or f" {found['inside']} ", text).strip()
        code = _CODE.match(text)
        text = f"{code[2]} {text[code.end() :]}" if code else text
    unknown = 0

    def read(found: re.Match[str]) -> str:
        nonlocal unknown
        if found["quoted"]:
            return found[0]
        word = _meaning(found, names)
        unknown += word is None
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        return " " * (before.isalnum() or before == ">") + (word or "") + " " * (after.isalnum() or after == "<")

    if "<" in text:
        text = _MARK.sub(read, text)
    return " ".join(text.split()), _remarks(unknown)


def _remarks(unknown: int) -> tuple[str, ...]:
    if unknown > 1:
        return (_("{unknown} mentions left out: their names are not known here", unknown=unknown),)
    return (_("a mention left out: its name is not known here"),) if unknown else ()


def seen(text: str) -> str:
    """Leave out what nobody sees, make every blank a space, and keep line ends."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for place, char in enumerate(text):
        if char in "\r\n":
            kept.append("\n")
        elif char.isspace() or char in _BLANKS:
            kept.append(" ")
        elif not _is_hidden(char, kept[-1] if kept else "", text[place + 1 : place + 2]):
            kept.append(char)
    return "".join(kept)


def _is_hidden(char: str, before: str, after: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    if char in _JOINERS:  # between others than ASCII they shape letters or emoji
        return before.isascii() or after.isascii()
    if "\U000e0020" <= char <= "\U000e007f":
        return before != _FLAG and not "\U000e0020" <= before <= "\U000e007f"
    if "\ufe00" <= char <= "\ufe0f":  # says how the character before it is drawn
        return before.isascii() and after != _KEYCAP
    return char == "\u034f" or unicodedata.category(char) in ("Cc", "Cf", "Cs")


def _meaning(found: re.Match[str], names: Mapping[str, str]) -> str | None:
    """Return what a mark stands for; None for a mention nobody knows."""
    if found["kind"]:
        name = names.get(found["kind"].rstrip("!") + found["id"])
        return None if name is None else _as_words(name)
    if found["time"]:
        return _date(int(found["time"]), found["form"] or "f")
    return found["emoji"] or found["command"] or ""


def _as_words(name: str) -> str:
    """Return a name that others chose without what a prompt would take for more than words."""
    return " ".join(_NOT_IN_NAMES.sub(" ", clean_line(name, 100)).split())


def _date(seconds: int, form: str) -> str:
    try:
        moment = _START + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    return moment.strftime(_FORMS[form]).replace("{day}", str(moment.day))
