"""Find where an option begins in a text: `--steps` and what phones, typesetters and other keyboards make of it.

Two dashes after a space always begin one. Dashes of other kinds, or right after other words, do only with the name of
an option that is known: they are ordinary text as well.
"""

import re
import unicodedata
from difflib import get_close_matches
from typing import Final

from generation.chat_words import QUOTED
from generation.fields import Kind
from generation.options import BY_NAME, FOREIGN_FLAGS
from lazy import pattern
from texts.text import _

# Hyphens, dashes and minuses of all kinds, and the long mark that a Japanese keyboard gives for one.
_DASHES: Final = r"\-‐-―⁃−˗⸺⸻﹘﹣－ーｰ─━"
_LONG: Final = "–—―⸺⸻"  # what phones make of two
_COUNTED: Final = frozenset(
    {Kind.INTEGER, Kind.NUMBER, Kind.SEED, Kind.SIZE, Kind.ASPECT, Kind.FACTOR, Kind.HIRES, Kind.EXTRA}
)
_NUMBERED: Final = frozenset(name for name, option in BY_NAME.items() if option.kind in _COUNTED)
_VALUED: Final = frozenset(name for name, value in FOREIGN_FLAGS.items() if "+-" in value)
_BARE: Final = frozenset(name for name, value in FOREIGN_FLAGS.items() if not value)


def _any_of(names: frozenset[str]) -> str:
    written = sorted(names, key=len, reverse=True)
    return "|".join(re.escape(name).replace("_", "[_-]") for name in written)


_GLUED: Final = rf"(?i:{_any_of(_NUMBERED | _VALUED)})(?=\d+(?:[.,:xX×]\d+)?[%x×]?(?:[\s,;]|$))"
_NAME: Final = (
    rf"(?<![{_DASHES}])(?P<dash>[{_DASHES}]+)(?P<name>{_GLUED}|[^\W\d_](?:\w|[-‐‑−－](?=\w))*)"
    r"(?P<sign>\s*[=＝]|[:：]|)"
)
TOKEN: Final = pattern(f"(?P<quoted>{QUOTED})|{_NAME}")
_NUMBER_NEXT: Final = pattern(r"\s*[=:：＝]?\s*[+-]?\.?\d")
_MISSED: Final = pattern(
    rf"(?<![\w{_DASHES}])(?:[{_DASHES}]{{2,}}\s?|[{_DASHES}])(?i:{_any_of(_NUMBERED - {'n', 'r', 'on'})})"
    r"\s*[=:]?\s*[+-]?\d[\d.,:x]*"
)
_BRACKETED: Final = pattern(
    rf"(?P<quoted>{QUOTED})|(?<!\S)[(\[{{（【]\s*(?P<inside>[{_DASHES}]{{2,}}(?i:{_any_of(frozenset(BY_NAME))})"
    r"(?![\w-])[^()\[\]{}（）【】]*)[)\]}）】]"
)
_WEIGHT: Final = pattern(r"(?<!:)::-?\d*\.?\d+(?=[\s,]|$)|(?<=[^\s:])::(?=[\s,]|$)")
# Punctuation that ends what was before it; the others are parts of addresses and names.
_ENDS: Final = frozenset(("Pe", "Pf", "Po", "So", "Sk", "Mn", "Lo"))
_NO_ENDS: Final = frozenset("/\\@#&")
_NEAR: Final = 0.76


def without_brackets(text: str) -> str:
    """Return a text in which options do not stand in brackets of their own, `(--steps 20)`."""
    return _BRACKETED.sub(lambda found: found["quoted"] or found["inside"], text)


def key_of(name: str) -> str:
    """Return the name of an option as the tables have it."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub("[-‐‑−－]", "_", folded).strip("_")


def is_option(token: re.Match[str]) -> bool:
    """Distinguish an option from a quotation and from dashes that are ordinary text."""
    if token["name"] is None:
        return False
    key, dash = key_of(token["name"]), token["dash"]
    before = token.string[: token.start()][-1:] if token.start() < 2 else token.string[token.start() - 1]
    is_spaced = not before or before.isspace()
    if is_spaced and len(dash) > 1 and not dash.strip("-"):
        return True
    if key not in BY_NAME and key not in FOREIGN_FLAGS:
        return False
    if len(dash) == 1 and not (dash in _LONG and _is_meant(key, token)):
        return False
    if is_spaced or before == ">" or (_ends(before) and not _opens(token)):
        return True
    return (
        before.isalnum() and len(key) > 1 and key in _NUMBERED and bool(_NUMBER_NEXT.match(token.string, token.end()))
    )


def near_option(name: str) -> str | None:
    """Return the option that was probably meant, if one is near: two letters changed places, or one is amiss."""
    key = key_of(name)
    swapped = [other for other in BY_NAME if sorted(other) == sorted(key)]
    return next(iter(swapped or get_close_matches(key, BY_NAME, n=1, cutoff=_NEAR)), None)


def misread(words: str) -> list[str]:
    """Return remarks on what was read as words and may have been meant otherwise."""
    remarks = []
    if found := _MISSED.search(words):
        remarks.append(_("“{word}” was read as words: options begin with --", word=found[0].rstrip(".,:")))
    if found := _WEIGHT.search(words):
        remarks.append(
            _(
                "“{found}” was read as words: Midjourney’s weights mean nothing here, (word:1.5) does to many engines",
                found=found[0],
            )
        )
    return remarks


def _ends(before: str) -> bool:
    return unicodedata.category(before) in _ENDS and before not in _NO_ENDS


def _opens(token: re.Match[str]) -> bool:
    """Distinguish a straight quote that opens a quotation from one that ends it."""
    at = token.start() - 1
    return token.string[at] in "\"'*_" and (at == 0 or token.string[at - 1].isspace())


def _is_meant(key: str, token: re.Match[str]) -> bool:
    """Return whether a single long dash, which is ordinary text as well, begins the option of this name."""
    text, end = token.string, token.end()
    kind = BY_NAME[key].kind if key in BY_NAME else ""
    if kind in (Kind.FACTOR, Kind.HIRES, Kind.FLAG) or key in _BARE:
        has_end = pattern(rf"\s*(?:$|[{_DASHES}])").match(text, end)
        return bool(has_end) or (kind != Kind.FLAG and bool(_NUMBER_NEXT.match(text, end)))
    if kind == Kind.SEED and pattern(r"\s*rand", re.IGNORECASE).match(text, end):
        return True
    if kind in _COUNTED or key in _VALUED:
        return bool(_NUMBER_NEXT.match(text, end))
    if kind == Kind.CHOICE:
        words = text[end : end + 40].split()
        return bool(words) and words[0].casefold() in BY_NAME[key].choices
    # a second one that clings to the word before it closes a parenthesis in the sentence
    closing = pattern(rf"[^{_LONG}]*([{_LONG}])").match(text, end)
    return key != "on" and not (closing and not text[closing.start(1) - 1].isspace())
