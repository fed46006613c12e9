"""The messages of *Draw this chat*: who is asked for their consent, and the prompt that came of it. Pure.

The message itself holds who has agreed, so that it works after a restart, and nothing about it is stored.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from cogs.cards import Button, Card
from cogs.enhancing.card import words_rows
from cogs.plain import block, escape
from generation.money import dollars
from lazy import dataclass, pattern
from services.wording.chat import ChatPrompt
from texts.text import _, joined

ACTION: Final = "chat"
YES, NO, WRITE = "yes", "no", "write"
MOST_ASKED: Final = 10
_MARKS: Final = {None: "⏳", True: "✅", False: "✖"}
_LINE: Final = pattern(r"^(⏳|✅|✖) <@(\d{1,25})>$", re.MULTILINE)
_ASKER: Final = pattern(r"<@(\d{1,25})>")


@dataclass(frozen=True, kw_only=True)
class Consent:
    """The answers of those who are quoted, None as long as there is none, and who asks."""

    asker: str
    answers: dict[str, bool | None]

    def answered(self, user_id: str, *, agrees: bool) -> "Consent":
        """Return it with somebody's answer, which they may change."""
        return replace(self, answers=self.answers | {user_id: agrees})

    @property
    def agreed(self) -> frozenset[str]:
        """Return who may be quoted: those who agreed, and who asks."""
        return frozenset({self.asker, *(user_id for user_id, agrees in self.answers.items() if agrees)})


def consent_card(consent: Consent, message_id: str, link: str, *, usd: float = 0.0) -> Card:
    """Ask those who are quoted, each for themselves. `usd`: what the prompt costs."""
    write = _("Write prompt · {usd}", usd=dollars(usd)) if usd else _("Write prompt")
    lines = [
        _("**Draw this chat?** — <@{asker}> would like a picture of it, up to [this message]({link}).",
          asker=consent.asker, link=link),
        *(f"{_MARKS[agrees]} <@{user_id}>" for user_id, agrees in consent.answers.items()),
        _("-# The text engine gets what you wrote, without names, and only if you agree. Who does not is left out. "
          "You can change your answer."),
    ]  # fmt: skip

    def button(argument: str, label: str, emoji: str) -> Button:
        return Button(action=ACTION, job_id=message_id, argument=argument, label=label, emoji=emoji)

    buttons = (
        button(YES, _("I agree"), "✅"),
        button(NO, _("Leave me out"), "✖"),
        replace(button(WRITE, write, "✏️"), style="primary"),
    )
    return Card(content=joined("\n", lines), rows=(buttons,))


def consent_in(content: str) -> Consent | None:
    """Read who has answered what; None where it is another message."""
    first, __, rest = content.partition("\n")
    asker = _ASKER.search(first)
    answers = {user_id: {"✅": True, "✖": False}.get(mark) for mark, user_id in _LINE.findall(rest)}
    return Consent(asker=asker[1], answers=answers) if asker and answers else None


def asked_of(people: Iterable[str], asker: str) -> Consent:
    others = [person for person in dict.fromkeys(people) if person != asker]
    return Consent(asker=asker, answers=dict.fromkeys(others[-MOST_ASKED:]))


def prompt_card(found: ChatPrompt, *, drawn_usd: float = 0.0) -> Card:
    """Show the prompt, with the buttons of `/enhance` that draw it, for so much, or change it first."""
    lines = [
        _("**What this chat shows**"),
        f"```\n{block(found.prompt)}\n```",
        _("-# written by {model}", model=escape(found.model)),
    ]
    return Card(content=joined("\n", lines), rows=words_rows(drawn_usd))
