"""Lists of words, looked for in the readings of a text (`services.house.folding`)."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from lazy import pattern
from services.house.folding import folded, readings, spaced

# Scripts without spaces between words: there a word counts wherever it stands.
_UNSPACED: Final = pattern(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
_AGE: Final = pattern(r" (\d{1,2}) ?(?:yo|y o|years? old|year olds?|jahre alt|ans|años|лет|歳|岁|살) ")
ADULT_AGE: Final = 18
FILE: Final = "listed_words.toml"


class _Entry(NamedTuple):
    word: str  # as people read it
    part: str  # what is looked for in a reading


class WordList:
    """Words and phrases; one that ends with `*` stands for all words that begin so."""

    def __init__(self, words: Iterable[str]) -> None:
        self._entries = tuple(entry for word in words if (entry := _entry(" ".join(word.split()))))

    def find_in(self, text: str) -> str:
        """Return the first word of the list that stands in a text, "" if none does."""
        return self.find(readings(text)) if self._entries else ""

    def find(self, texts: Iterable[str]) -> str:
        """Return the first word of the list that stands in one of these readings, "" if none does."""
        read = "\n".join(texts)  # no part has a line's end in it
        return next((entry.word for entry in self._entries if entry.part in read), "")


@cache
def _listed() -> Mapping[str, WordList]:
    return {name: WordList(words) for name, words in _file().items() if name != "harmless"}


@cache
def _file() -> Mapping[str, Sequence[str]]:
    lists = tomllib.loads((files(__package__) / FILE).read_text(encoding="utf-8"))
    return {name: words.split(",") for name, words in lists.items()}


@cache
def _harmless() -> re.Pattern[str]:
    phrases = (re.escape(spaced(folded(phrase)).strip()) for phrase in _file()["harmless"])
    return pattern(f"(?<= )(?:{'|'.join(sorted(phrases, key=len, reverse=True))})(?= )")


def sexual_word(text: str, negative: str = "") -> str:
    """Return the word that asks for nudity or sexual content, in a prompt or in what it leaves out; "" if none does.

    "Leave out clothes" asks for nudity; "leave out nudity" does not.
    """
    return _listed()["sexual"].find(_read(text)) or _listed()["covering"].find(_read(negative))


def names_minor(text: str) -> bool:
    """Return whether a prompt is about somebody under age."""
    read = _read(text)
    ages = (int(match[1]) for reading in read for match in _AGE.finditer(reading))
    return bool(_listed()["minors"].find(read)) or any(age < ADULT_AGE for age in ages)


def sexualises_minor(text: str, negative: str = "") -> bool:
    """Return whether a prompt asks for a sexual picture of somebody under age."""
    return bool(_listed()["never"].find(_read(text))) or (names_minor(text) and bool(sexual_word(text, negative)))


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[str, ...]:
    return tuple(_harmless().sub("", reading) for reading in readings(text)) if text else ()


def _entry(word: str) -> _Entry | None:
    is_start = word.endswith("*")
    part = spaced(folded(word))
    if not part.strip():
        return None
    if _UNSPACED.search(part):
        return _Entry(word, part.strip())
    return _Entry(word, part.rstrip() if is_start else part)
