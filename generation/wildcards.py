"""`__animal__` in a prompt: a line of the list of that name, chosen by the seed: the same seed, the same line.

No I/O: `services/drawing/wildcards` reads the lists. A line may have wildcards and choices in braces of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Final

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.permutations import permutations
from generation.request import Draft
from lazy import pattern

MAX_DEPTH: Final = 5  # of lists that name other lists
MAX_FILLED: Final = 100  # in one prompt
WILDCARD: Final = pattern(r"(?<![\w\\])__(?P<name>[A-Za-z0-9][\w/-]{0,79}?)__(?![A-Za-z0-9])")

Lists = Mapping[str, Sequence[str]]


def names_in(text: str) -> Iterator[str]:
    """Yield the names of lists in a text, as the files have them."""
    if "__" in text:
        yield from (found["name"].casefold() for found in WILDCARD.finditer(text))


def has_wildcards(draft: Draft) -> bool:
    return any(True for text in (draft.prompt, draft.negative_prompt or "") for __ in names_in(text))


def filled(draft: Draft, lists: Lists, seed: int) -> Draft:
    """Return the draft with a line in place of each wildcard; names without a list stay as they are."""
    filling = _Filling(lists, seed)
    prompt = filling.fill(draft.prompt)
    negative = filling.fill(draft.negative_prompt) if draft.negative_prompt else draft.negative_prompt
    return replace(draft, prompt=prompt, negative_prompt=negative, seed=seed)


class _Filling:
    """Counts the wildcards of a draft, so that two of one name are two choices."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self._lists = lists
        self._seed = seed
        self._number = 0

    def fill(self, text: str, depth: int = 0) -> str:
        if depth >= MAX_DEPTH or "__" not in text or len(text) > MAX_PROMPT_CHARS:
            return text
        return WILDCARD.sub(lambda found: self._line(found, depth), text)

    def _line(self, found: re.Match[str], depth: int) -> str:
        name = found["name"].casefold()
        lines = self._lists.get(name)
        if not lines or self._number >= MAX_FILLED:
            return found[0]
        line = self._one_of(lines, name)
        with suppress(RequestRejected):  # too many choices in one line: it stays as it was written
            line = self._one_of(permutations(line), f"{name}{{}}")
        return self.fill(line, depth + 1)

    def _one_of(self, lines: Sequence[str], name: str) -> str:
        self._number += 1
        digest = sha256(f"{self._seed}:{self._number}:{name}".encode()).digest()
        return lines[int.from_bytes(digest[:8]) % len(lines)]
