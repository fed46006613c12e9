"""A catalog that translates every sentence: what people read without its brackets went past `_()`."""

import re
from collections.abc import Iterable
from typing import Final

OPEN, CLOSE = "⟦", "⟧"
TRANSLATED: Final = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
# What is the same in every language: code, addresses, Discord's own marks, and what others typed.
SAME: Final = re.compile(
    r"```.*?```|`[^`]*`|https?://\S+|<[@#:/t][^>]*>|\(<[^)]*>\)|--\w+( \S+)?|\b[A-Z]\w*\b", re.DOTALL
)
WORD: Final = re.compile(r"[A-Za-z][a-z]{2,}")


class PseudoCatalog:
    """`⟦English⟧` for each template."""

    def gettext(self, message: str, /) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str:
        return f"{OPEN}{msgid1 if n == 1 else msgid2}{CLOSE}"


def untranslated(text: str, known: Iterable[str] = (), same: re.Pattern[str] = SAME) -> list[str]:
    """Return the words of a text that no template holds; `known` are those of prompts and names."""
    while TRANSLATED.search(text):
        text = TRANSLATED.sub(" ", text)
    return [word for word in WORD.findall(same.sub(" ", text)) if word not in set(known)]
