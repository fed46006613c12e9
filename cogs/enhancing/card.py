"""The message that shows a prompt before and after. Pure: values in, a `Card` out.

Both stand in code blocks of the message itself, and its buttons read them from there, so they need no memory and work
after a restart. Under a picture's own prompt the buttons carry its job: what is drawn is that picture with other words.
"""

import re
from dataclasses import replace
from typing import Final

import nextcord

from cogs.cards import Button, Card, Choice, Menu, Row, Style, make_id
from cogs.plain import block, escape, sentence
from cogs.wire.fields import TextField
from cogs.wire.forms import Form
from constants import DISCORD_CONTENT_CHARS, MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.foreign import visible
from generation.money import dollars
from generation.prompt_syntax import format_prompt, parse_prompt
from lazy import dataclass, pattern
from services.wording.rules import RULES, Enhanced
from texts.text import _, joined
from utils.text import cut

ACTION: Final = "enhance"
NO_JOB: Final = "-"
DRAW, EDIT, EDITED, AGAIN, OTHER, VOTE = "draw", "edit", "edited", "again", "other", "vote"
PRIVATE: Final = "-private"
WORDS_CHARS: Final = 1700  # of all prompts in one message; the rest is for what is around them
_BLOCK: Final = pattern(r"```\n(.*?)\n```", re.DOTALL)
_NUMBERED: Final = pattern(r"^(\d)  (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class EnhancedWords:
    """The prompts that a message of this kind holds. `before` is empty where it was too long to be shown."""

    before: str
    after: str
    others: tuple[str, ...] = ()


def enhanced_card(
    before: str,
    after: str,
    enhanced: Enhanced,
    *,
    job_id: str = "",
    private: bool = False,
    usd: float = 0.0,
    drawn_usd: float = 0.0,
) -> Card:
    """Show a prompt before and after, with what can be done with it.

    Args:
        before: as it was typed, with its options.
        after: the same, written more fully.
        enhanced: the other prompts, and what wrote them.
        job_id: the picture whose prompt it is; empty: none.
        private: what is drawn from it is for who presses alone.
        usd: what asking again costs.
        drawn_usd: what drawing it costs.

    Raises:
        RequestRejected: it is too long for a message.
    """
    before, after = visible(before), visible(after)
    others = tuple(visible(other) for other in enhanced.suggestions) if enhanced.has_prompts else ()
    if len(after) > WORDS_CHARS:
        raise RequestRejected(
            _("The prompt is too long to be shown here."), field="prompt", hint=_("The studio takes longer ones.")
        )
    while others and _length(after, *others) > WORDS_CHARS:
        others = others[:-1]
    is_whole = _length(before, after, *others) <= WORDS_CHARS
    lines = [_block(_("**Before**"), before)] if is_whole else []
    lines.append(_block(_("**After**"), after))
    if others:
        numbered = joined("\n", (f"{number}  {other}" for number, other in enumerate(others, 1)))
        lines.append(_block(_("**Other ways**"), numbered))
    lines += [_small(line) for line in _remarks(enhanced)]
    content = cut(joined("\n", lines), DISCORD_CONTENT_CHARS)
    again = ""
    if is_whole:
        again = _("Again · {usd}", usd=dollars(usd)) if usd else _("Again")
    return Card(
        content=content, rows=_rows(job_id or NO_JOB, others, drawn_usd=drawn_usd, again=again, private=private)
    )


def words_in(message: nextcord.Message | None) -> EnhancedWords:
    """Read the prompts of a message of this kind.

    Raises:
        RequestRejected: it has none any more.
    """
    blocks = _BLOCK.findall(message.content) if message else []
    others: tuple[str, ...] = ()
    if len(blocks) > 1 and _NUMBERED.match(blocks[-1]):
        others = tuple(text for __, text in _NUMBERED.findall(blocks.pop()))
    if not blocks:
        raise RequestRejected(_("The words are no longer in this message. Please ask for them again."))
    return EnhancedWords(before=blocks[0] if len(blocks) > 1 else "", after=blocks[-1], others=others)


def sides_of(words: EnhancedWords) -> tuple[str, str]:
    """Return the two prompts that people may vote on: the fuller one and another way, else the first and the fuller.

    Raises:
        RequestRejected: there is only one.
    """
    if words.others:
        return words.after, with_options_of(words.after, words.others[0])
    if not words.before:
        raise RequestRejected(_("There is only one prompt in this message, so there is nothing to vote on."))
    return words.before, words.after


def with_options_of(text: str, prompt: str) -> str:
    return format_prompt(replace(parse_prompt(text).draft, prompt=prompt))


def edit_form(words: EnhancedWords, job_id: str, *, private: bool) -> Form:
    """Return the fuller prompt to change before it is drawn."""
    argument = f"{EDITED}{PRIVATE}" if private else EDITED
    field = TextField(name="prompt", label=_("Prompt"), value=words.after, is_long=True, limit=MAX_PROMPT_CHARS)
    return Form(title=_("Edit the prompt"), custom_id=make_id(ACTION, job_id, argument), fields=(field,))


def _length(*words: str) -> int:
    return sum(map(len, words))


def _remarks(enhanced: Enhanced) -> list[str]:
    if enhanced.source == RULES:
        return [sentence(note) for note in enhanced.notes] or [_("written by rules")]
    return [_("written by {model}", model=escape(enhanced.source))]


def _small(line: str) -> str:
    return f"-# {line}"


def _block(head: str, words: str) -> str:
    return f"{head}\n```\n{block(words)}\n```"


def words_rows(usd: float) -> tuple[Row, ...]:
    """Return what can be done with the only prompt of a message; `usd`: what drawing it costs."""
    return _rows(NO_JOB, (), drawn_usd=usd, again="", private=False)


def _rows(job_id: str, others: tuple[str, ...], *, drawn_usd: float, again: str, private: bool) -> tuple[Row, ...]:
    suffix = PRIVATE if private else ""

    def button(argument: str, label: str, emoji: str) -> Button:
        style: Style = "primary" if argument == DRAW else "secondary"
        return Button(
            action=ACTION, job_id=job_id, argument=f"{argument}{suffix}", label=label, emoji=emoji, style=style
        )

    draw, vote = _("Draw it"), _("A/B")
    if drawn_usd:
        draw = _("Draw it · {usd}", usd=dollars(drawn_usd))
        vote = _("A/B · {usd}", usd=dollars(2 * drawn_usd))
    first = [button(DRAW, draw, "🎨"), button(EDIT, _("Edit"), "✏️")]
    if again:
        first.append(button(AGAIN, again, "🔁"))
    if job_id == NO_JOB and not private and (others or again):  # two prompts are there, and nobody keeps them secret
        first.append(button(VOTE, vote, "⚖️"))
    if not others:
        return (tuple(first),)
    choices = tuple(Choice(label=other, value=str(number)) for number, other in enumerate(others))
    menu = Menu(
        action=ACTION,
        job_id=job_id,
        argument=f"{OTHER}{suffix}",
        placeholder=_("Draw another way"),
        choices=choices,
    )
    return (tuple(first), menu)
