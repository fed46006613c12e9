"""Messages about a picture that somebody brought: its parameters, what it shows, and the words to draw it again.

Pure: values in, a `Card` out. The words stand in the message itself, in its last code block or, where they are too long
for that, in a text file; the button under them reads them from there, so it needs no memory.
"""

import re
from dataclasses import replace
from typing import Final

import nextcord

from cogs.cards import Button, Card, CardPicture, Row
from cogs.plain import block, escape, sentence
from constants import DISCORD_CONTENT_CHARS
from generation.errors import RequestRejected
from generation.foreign import visible
from generation.money import dollars
from generation.prompt_syntax import ParsedPrompt, format_prompt
from generation.request import Draft
from lazy import pattern
from services.engines.describing import Description
from services.pictures.pictures import drawable, unused_in
from texts.text import _, joined
from utils.images import ImageInfo
from utils.infotext import Infotext
from utils.text import cut

ACTION: Final = "picture"
DRAW, DRAW_PRIVATE = DRAWS = ("draw", "draw-private")  # arguments of the button under words
NO_JOB: Final = "-"  # in the place of a job's id, where the button belongs to none
COMMAND: Final = "!dream "
LINE_CHARS: Final = 1400
DETAIL_CHARS: Final = 400
FILE_NAME: Final = "dream.txt"

_BLOCK = pattern(r"```\n(.*?)\n```", re.DOTALL)
_FACTOR = pattern(r"(\d+(?:\.\d+)?)\s*[x×]?(?:\s+|$)", re.IGNORECASE)
_IN_THE_LINE: Final = frozenset(
    {"Steps", "Sampler", "Schedule type", "CFG scale", "Distilled CFG Scale", "Seed", "Size-1", "Size-2", "Model",
     "VAE", "Clip skip", "Hires upscale", "Hires steps", "Hires upscaler", "Hires resize-1", "Hires resize-2"}
)  # fmt: skip


def upscale_options(text: str) -> str:
    """Turn what follows `!upscale` into options of `!dream`: a number in front is the factor, 2 if there is none."""
    factor = _FACTOR.match(text.strip())
    rest = text.strip()[factor.end() :] if factor else text.strip()
    return f"--upscale {factor[1] if factor else 2} {rest}".strip()


def style_options(text: str) -> str:
    """Turn what follows `!style` into options of `!dream`: the words before the first option are a style's name."""
    name, dashes, rest = text.partition("--")
    name = name.strip().replace('"', "")
    style = f'--style "{name}" ' if name else ""
    return f"--restyle {style}{dashes}{rest}".strip()


def without_others(draft: Draft) -> Draft:
    """Drop what would make something else of a picture than its command says."""
    return replace(draft, hires=None, upscale_factor=None)


def notes_of(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return the remarks for the reply."""
    return (*parsed.notes, _("--repeat ignored: one at a time from a picture")) if parsed.repeat > 1 else parsed.notes


def info_card(info: Infotext, picture: ImageInfo, *, private: bool, usd: float = 0.0) -> Card:
    """Show how a picture was made, with a line that makes it again."""
    draft = drawable(info)
    kind = picture.media_type.removeprefix("image/").upper()
    details = ", ".join(f"{key}: {value}" for key, value in info.parameters.items() if key not in _IN_THE_LINE)
    lines = [_("**Picture info** · {width}×{height} {kind}", width=picture.width, height=picture.height, kind=kind)]
    if seed := info.parameters.get("Seed"):
        lines.append(f"Seed\n```\n{block(cut(seed, 40))}\n```")
    lines.append(_("To make it again"))
    tail = f"-# {escape(cut(details, DETAIL_CHARS))}" if details else ""
    if unused := unused_in(info):
        tail += _("\n-# cannot be used here: {unused}", unused=escape(cut(", ".join(unused), DETAIL_CHARS)))
    return _with_words(joined("\n", lines), draft, tail, private=private, usd=usd)


def described_card(description: Description, picture: CardPicture | None, *, private: bool, usd: float = 0.0) -> Card:
    """Show what a picture shows, as words to draw."""
    tail = [_("-# described by {engine}", engine=escape(description.engine))]
    tail += [f"-# {sentence(note)}" for note in description.notes]
    draft = words_of(description)
    card = _with_words(_("**What it shows**"), draft, joined("\n", tail), private=private, usd=usd)
    return Card(content=card.content, rows=card.rows, pictures=(*card.pictures, *([picture] if picture else [])))


def words_of(description: Description) -> Draft:
    """Return what the button under a description draws."""
    return Draft(prompt=description.text)


def words_in(message: nextcord.Message) -> str | None:
    """Return the words a message of ours offers to draw; None when they are in its file, or not there."""
    blocks = _BLOCK.findall(message.content)
    line = next((block for block in reversed(blocks) if block.startswith(COMMAND)), None)
    return line.removeprefix(COMMAND) if line else None


def words_file(message: nextcord.Message) -> nextcord.Attachment:
    """Return the file that holds the words.

    Raises:
        RequestRejected: there is none.
    """
    for attachment in message.attachments:
        if attachment.filename == FILE_NAME:
            return attachment
    raise RequestRejected(_("The words are no longer in this message. Please ask for them again."))


def _with_words(head: str, draft: Draft, tail: str, *, private: bool, usd: float) -> Card:
    words = visible(format_prompt(draft))
    argument = DRAW_PRIVATE if private else DRAW
    words_on_it = _("Draw this · {usd}", usd=dollars(usd)) if usd else _("Draw this")
    rows: tuple[Row, ...] = (
        (Button(action=ACTION, job_id=NO_JOB, label=words_on_it, emoji="🎨", style="primary", argument=argument),),
    )
    if len(words) <= LINE_CHARS and "```" not in words:
        content = f"{head}\n```\n{COMMAND}{words}\n```\n{tail}"
        return Card(content=cut(content.strip(), DISCORD_CONTENT_CHARS), rows=rows)
    file = CardPicture(data=words.encode(), filename=FILE_NAME, alt_text=_("the words and options of this picture"))
    content = _("{head}: see the file\n{tail}", head=head, tail=tail)
    return Card(content=cut(content.strip(), DISCORD_CONTENT_CHARS), rows=rows, pictures=(file,))
