"""Weights of words in prompts, as Automatic1111 writes them: `(fox:1.3)`, `(fox)` is 1.1, `[fox]` is 1/1.1. Pure.

Source: its wiki, "Attention/emphasis". A backslash before a bracket leaves it a bracket.
"""

import re
from collections.abc import Sequence
from typing import Final

STEP: Final = 1.1
MOST: Final = 10.0
_PART: Final = re.compile(r"\\[()\[\]\\]|[(\[]|:\s*(?P<weight>[0-9]*\.?[0-9]+)\s*\)|[)\]]|[^\\()\[\]:]+|.", re.DOTALL)
# Weights that are meant as such in any prompt; brackets alone may be a sentence's own.
_SAID: Final = re.compile(r"(?<!\\)\(([^()\[\]]*[^()\[\]\\]):\s*[0-9]*\.?[0-9]+\s*\)")

Weighed = tuple[tuple[str, float], ...]


def weigh(prompt: str) -> Weighed:
    """Return the parts of a prompt with their weights; neighbours of the same weight are one part."""
    parts: list[list[str | float]] = []
    opened: list[tuple[str, int]] = []  # brackets with the part that they begin before
    for match in _PART.finditer(prompt):
        sign, weight = match[0], match["weight"]
        if weight is not None and opened and opened[-1][0] == "(":
            _raise(parts, opened.pop()[1], min(float(weight), MOST))
        elif sign in ("(", "["):
            opened.append((sign, len(parts)))
        elif sign == ")" and opened and opened[-1][0] == "(":
            _raise(parts, opened.pop()[1], STEP)
        elif sign == "]" and opened and opened[-1][0] == "[":
            _raise(parts, opened.pop()[1], 1 / STEP)
        else:
            parts.append([sign[1:] if sign[0] == "\\" and len(sign) > 1 else sign, 1.0])
    for sign, place in reversed(opened):  # one that nobody closed is a bracket
        parts.insert(place, [sign, 1.0])
    return _together(parts)


def has_signs(prompt: str) -> bool:
    """Return whether a prompt means something else than it says letter by letter."""
    return weigh(prompt) not in ((), ((prompt, 1.0),))


def without_weights(prompt: str) -> str:
    """Return a prompt for a model that takes none: what stands as `(fox:1.3)` becomes `fox`, other brackets stay."""
    before = ""
    while before != prompt:
        before, prompt = prompt, _SAID.sub(r"\1", prompt)
    return prompt


def _raise(parts: Sequence[list[str | float]], begin: int, by: float) -> None:
    for part in parts[begin:]:
        part[1] = float(part[1]) * by


def _together(parts: Sequence[list[str | float]]) -> Weighed:
    joined: list[tuple[str, float]] = []
    for text, weight in ((str(text), round(float(weight), 4)) for text, weight in parts):
        if joined and joined[-1][1] == weight:
            joined[-1] = (joined[-1][0] + text, weight)
        elif text:
            joined.append((text, weight))
    return tuple(joined)
