"""Knows of interactions' tokens which are refused, and which message is the first answer to each.

Asking Discord would tell the same, at the price of a request.
"""

from typing import Final

MOST_KNOWN: Final = 5000


class ReplyTokens:
    """Forgets the older half when there are too many; what is not known is asked for."""

    def __init__(self) -> None:
        self._dead: dict[str, None] = {}  # refused before their time; asking again would count against the bot
        self._answers: dict[str, str] = {}  # the id of the message that is the first answer; "": it is thinking

    def is_dead(self, token: str) -> bool:
        return token in self._dead

    def note_dead(self, token: str) -> None:
        self._dead[token] = None
        _limit(self._dead)

    def answer(self, token: str) -> str | None:
        """Return the id of the first answer, empty while it shows that the bot is thinking; None: not known."""
        return self._answers.get(token)

    def note_answer(self, token: str, message_id: str | None) -> None:
        """Take in what is the first answer from now on; None: something is on its way there."""
        if message_id is None:
            self._answers.pop(token, None)
        else:
            self._answers[token] = message_id
            _limit(self._answers)


def _limit(known: dict[str, None] | dict[str, str]) -> None:
    if len(known) > MOST_KNOWN:
        for token in list(known)[: MOST_KNOWN // 2]:
            del known[token]
