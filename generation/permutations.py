r"""`a {red, blue} fox`: one text that stands for several, one for each way to choose.

Midjourney has commas between the choices (https://docs.midjourney.com, "Permutations"), other programs strokes:
`{red|blue}`; where there is a stroke, commas are words. Choices may stand in choices and in options: `--ar {1:1, 3:2}`.

What stays as it was typed: a quotation, `\{`, braces without a choice (`{word}`) or in another's (`{{words, more}}`,
the emphasis of NovelAI), what has keys (`{"prompt": "a fox", "steps": 20}`), and what only an engine's own
extension reads (`{2$$a|b}`, `{3::a|b}`, `${name}`), and a choice between words and a
LoRA's tag (`{a|<lora:x:1>}`); between tags there is one.
"""

import re
from collections.abc import Iterator
from dataclasses import field
from itertools import pairwise, product
from math import prod
from typing import Final

from generation.chat_words import QUOTED
from generation.errors import RequestRejected
from lazy import dataclass, pattern
from texts.text import _

MAX_PERMUTATIONS: Final = 40
MAX_DEPTH: Final = 4
SHOWN_COUNT: Final = 1_000_000

_MARK: Final = pattern(rf"(?P<quoted>{QUOTED})|\\(?P<escaped>[{{}},|])|(?P<mark>[{{}},|])", re.DOTALL)
_ESCAPED_BRACE: Final = pattern(rf"(?P<quoted>{QUOTED})|\\(?P<brace>[{{}}])", re.DOTALL)
_ESCAPED_IN_CHOICE: Final = pattern(r"\\([{},|])")
_KEY: Final = pattern(r"""\s*["“”']\w[^"“”']{0,80}["“”']\s*:(?!:)""")
_BARE_KEY: Final = pattern(r"\s*[A-Za-z_]\w{0,40}\s*:\s")
_LORA: Final = pattern(r"<\s*(?:lora|lyco)\s*:", re.IGNORECASE)
_OF_AN_EXTENSION: Final = pattern(r"\$\$|(?:^|\|)\s*\d*\.?\d+::")


@dataclass
class _Group:
    """A pair of braces; `start` and `end` are where they stand, `cuts` where a mark stands between its choices."""

    start: int
    end: int = -1
    commas: list[int] = field(default_factory=list)
    strokes: list[int] = field(default_factory=list)
    inner: list["_Group"] = field(default_factory=list)

    @property
    def cuts(self) -> list[int]:
        return self.strokes or self.commas


def permutations(text: str) -> list[str]:
    r"""Return every text that `text` stands for, in its order; `\{` is a brace in them.

    Raises:
        RequestRejected: there are too many.
    """
    if "{" not in text:
        return [with_plain_braces(text)]
    groups = _groups(text)
    count = _count(text, groups, 0)
    if count > MAX_PERMUTATIONS:
        number = f"{count:,}" if count <= SHOWN_COUNT else _("more than a million")
        raise RequestRejected(
            _(
                "The choices in braces stand for {number} prompts; at most {most} go at once.",
                number=number,
                most=MAX_PERMUTATIONS,
            ),
            field="prompt",
            hint=_("Leave some out, or write \\{{ for a brace that is only a character."),
        )
    return [with_plain_braces(each) for each in _expand(text, 0, len(text), groups, 0)]


def with_plain_braces(text: str) -> str:
    r"""Write `{` for `\{`, but in quotations."""
    if "\\{" not in text and "\\}" not in text:
        return text
    return _ESCAPED_BRACE.sub(lambda found: found["quoted"] or found["brace"], text)


def _groups(text: str) -> list[_Group]:
    """Return the outermost pairs of braces with those inside; braces without a partner are characters."""
    outer = _Group(start=-1)
    opened = [outer]
    for found in _MARK.finditer(text):
        mark, at = found["mark"], found.start()
        if mark == "{":
            opened.append(_Group(start=at))
        elif mark == "}" and len(opened) > 1:
            group = opened.pop()
            group.end = at
            opened[-1].inner.append(group)
        elif mark == ",":
            opened[-1].commas.append(at)
        elif mark == "|":
            opened[-1].strokes.append(at)
    for unclosed in opened[1:]:
        outer.inner += unclosed.inner
    return sorted(outer.inner, key=lambda group: group.start)


def _is_choice(text: str, group: _Group) -> bool:
    inside = text[group.start + 1 : group.end]
    if not group.cuts or not inside.strip(" ,|"):
        return False
    return not _is_kept(text, group)


def _is_kept(text: str, group: _Group) -> bool:
    """Return whether a pair of braces stays with all that is in it."""
    inside = text[group.start + 1 : group.end]
    if text[group.start - 1 : group.start] == "$" or _OF_AN_EXTENSION.search(inside) or _KEY.match(inside):
        return True
    tags = [_LORA.search(text, start, end) is not None for start, end, __ in _parts(text, group)]
    if any(tags) and not all(tags):
        return True
    if len(group.inner) == 1 and (group.inner[0].start, group.inner[0].end) == (group.start + 1, group.end - 1):
        return True
    return not group.strokes and bool(_BARE_KEY.match(inside))


def _parts(text: str, group: _Group) -> Iterator[tuple[int, int, list[_Group]]]:
    """Yield where each choice begins and ends, without blanks, and the groups in it."""
    edges = [group.start, *group.cuts, group.end]
    for before, after in pairwise(edges):
        start, end = before + 1, after
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        yield start, end, [each for each in group.inner if start <= each.start < end]


def _count(text: str, groups: list[_Group], depth: int) -> int:
    return prod(_count_of(text, group, depth) for group in groups)


def _count_of(text: str, group: _Group, depth: int) -> int:
    if depth >= MAX_DEPTH or _is_kept(text, group):
        return 1
    if not _is_choice(text, group):
        return _count(text, group.inner, depth + 1)
    return sum(_count(text, inner, depth + 1) for __, __, inner in _parts(text, group))


def _expand(text: str, start: int, end: int, groups: list[_Group], depth: int) -> list[str]:
    pieces: list[list[str]] = []
    at = start
    for group in groups:
        pieces += [[text[at : group.start]], _written(text, group, depth)]
        at = group.end + 1
    pieces.append([text[at:end]])
    return ["".join(parts) for parts in product(*pieces)]


def _written(text: str, group: _Group, depth: int) -> list[str]:
    """Return what a pair of braces may become."""
    if depth >= MAX_DEPTH or _is_kept(text, group):
        return [text[group.start : group.end + 1]]
    if not _is_choice(text, group):
        inside = _expand(text, group.start + 1, group.end, group.inner, depth + 1)
        return [f"{{{each}}}" for each in inside]
    choices = [each for part in _parts(text, group) for each in _expand(text, *part, depth + 1)]
    return [_ESCAPED_IN_CHOICE.sub(_unescaped, each) for each in choices]


def _unescaped(found: re.Match[str]) -> str:
    return found[0] if found[1] in "{}" else found[1]  # braces are written plain at the end, outside of quotations
