"""Workflows that were analysed and not kept yet, for a while and in memory only."""

import secrets
from collections import OrderedDict
from typing import Final

from services.drawing.workflows import Analysed

KEEP_S: Final = 3600.0
MOST: Final = 32
MOST_OF_ONE: Final = 8


class Drafts:
    """Analysed files by a token that cannot be guessed; the oldest go first."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[str, tuple[Analysed, str, float]] = OrderedDict()

    def put(self, analysed: Analysed, user_key: str, now_s: float) -> str:
        """Keep one and return its token."""
        for token, (_, _, until) in list(self._drafts.items()):
            if until <= now_s:
                del self._drafts[token]
        own = [token for token, (_, owner, _) in self._drafts.items() if owner == user_key]
        for token in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
            del self._drafts[token]
        while len(self._drafts) >= MOST:
            self._drafts.popitem(last=False)
        token = secrets.token_urlsafe(18)
        self._drafts[token] = (analysed, user_key, now_s + KEEP_S)
        return token

    def get(self, token: str, user_key: str, now_s: float) -> Analysed | None:
        """Return what this person had analysed; None when it is forgotten."""
        analysed, owner, until = self._drafts.get(token, (None, "", 0.0))
        return analysed if owner == user_key and until > now_s else None
