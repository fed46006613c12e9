"""Text of others in our messages: prompts, labels, names of models and files, what engines say. Made harmless here.

Whatever was written, it forms no link, mention, code, heading or spoiler of its own and turns no text around it. Texts
in a message go through `escape`, sentences of ours with such text in them through `sentence`, what stands between marks
of code through `code` or `block`, and what Discord shows without markdown (buttons, menus) through `label`.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import nextcord

from generation.foreign import clean_line, visible
from lazy import pattern
from texts.text import render
from utils.text import cut

MAX_CHOICES: Final = 25
MAX_LABEL_CHARS: Final = 100

_FROM_RIGHT: Final = ("R", "AL")
_ISOLATE: Final = "\u2068"  # what follows has a direction of its own
_END_OF_ISOLATE: Final = "\u2069"
_MARKS: Final = pattern(r"[\\`*~|_]")
_LINE_START: Final = pattern(r"^(?=[#>+-])|^(?P<number>\d+)(?=[.)])")
_OPENING: Final = pattern(r"<(?![ =\d])")  # "order must be < steps" opens nothing of Discord's
_INVITE: Final = pattern(r"\b(discord(?:app)?)\.(?=gg/|com/invite)", re.IGNORECASE)
# Code of our own in our sentences: commands, options, settings. Anything else between such marks is somebody's.
_OWN_CODE: Final = pattern(
    r"`(?:(?:/|--|!|@me )[A-Za-z][^`\n]{0,150}|(?:python main\.py|gpu|workflow|sdconnect) [^`\n]{1,150}"
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:=[^`\n]{0,80})?"
    r"|make run(?: [A-Z]+=1)?|(?:size|workflow|settings|options):? ?[a-zA-Z0-9 =-]{0,60}"
    r"|user:password|sure:True|for_server:True|dm: False|https://|dragons\?|\\bgun\\b"
    r"|…-7860\.proxy\.runpod\.net|POST /api/gallery/archive"
    r"|key|name|url|private|image|mask|file|none|vs|last|collection|engines|doctor)`"
)


def escape(text: str) -> str:
    """Make a text plain: one line, no markdown, no mention, no link."""
    return _isolated(_start(_neutral(" ".join(visible(render(text)).split()))))


def sentence(text: str) -> str:
    """Make a sentence of ours plain but for its own code (`/generate`, `--steps 20`): it may quote others."""
    flat = " ".join(visible(render(text)).split())
    parts: list[str] = []
    end = 0
    for own in _OWN_CODE.finditer(flat):
        parts += [_neutral(flat[end : own.start()]), own[0]]
        end = own.end()
    return _start("".join([*parts, _neutral(flat[end:])]))


def code(text: str, limit: int = 200) -> str:
    """Return a text for the inside of a code span of ours."""
    return cut(clean_line(text), limit).replace("`", "ˋ")


def block(text: str) -> str:
    """Return a text for the inside of a code block of ours; lines stay, so that it can be copied."""
    return visible(text).replace("```", "'''").strip("`")


def address(url: str) -> str:
    """Return somebody's own address as a link without a preview."""
    return f"<{re.sub(r'[<>|`*~]', '', ''.join(visible(url).split()))}>"


def label(text: str, limit: int = MAX_LABEL_CHARS) -> str:
    """Return a text for a place without markdown: a button, a menu, a suggestion, words for a screen reader."""
    return cut(clean_line(render(text), max(limit, MAX_LABEL_CHARS)), limit)


async def suggest(interaction: nextcord.Interaction, choices: Iterable[str] | Mapping[str, str]) -> None:
    """Answer an autocomplete: names, or what is shown with what it stands for; what Discord cannot take is left out."""
    pairs = choices.items() if isinstance(choices, Mapping) else ((name, name) for name in choices)
    fitting = {label(shown): value for shown, value in pairs if label(shown) and 0 < len(value) <= MAX_LABEL_CHARS}
    await interaction.response.send_autocomplete(dict(list(fitting.items())[:MAX_CHOICES]))


def _isolated(text: str) -> str:
    """Keep a text that is written from right to left from turning the numbers and names around it."""
    if text.isascii() or not any(unicodedata.bidirectional(character) in _FROM_RIGHT for character in text):
        return text
    return f"{_ISOLATE}{text}{_END_OF_ISOLATE}"


def _neutral(text: str) -> str:
    text = _MARKS.sub(r"\\\g<0>", text).replace("](", "]\\(").replace("@", "@\u200b").replace("://", ":\u200b//")
    return _OPENING.sub("‹", _INVITE.sub("\\1.\u200b", text))


def _start(text: str) -> str:
    """Take away what means something at the start of a line only: headings, quotes, lists, small print."""
    found = _LINE_START.match(text)
    return text if found is None else f"{found[0]}\\{text[found.end() :]}"
