"""*Connect it as ...*: the button under a refusal that found a server of another kind at the address.

What was typed stands in memory for a while, since a key must be written nowhere; after a restart it is typed again.
"""

import secrets
from typing import Final

from cogs.cards import Button, Row
from generation.errors import NotAllowed, RequestRejected
from lazy import dataclass
from services.engines.connections import Owner
from texts.text import _
from utils.clock import Clock

ACTION: Final = "connect-as"
KEPT_S: Final = 15 * 60.0
MOST_KEPT: Final = 200


@dataclass(frozen=True, kw_only=True)
class Typed:
    """One connection as it would be right."""

    user_id: str
    kind: str
    url: str
    key: str
    owner: Owner
    name: str
    kept_at: float


class OtherKinds:
    """Keeps what was typed until its button is pressed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Typed] = {}

    def offer(self, kind: str, title: str, *, url: str, key: str, owner: Owner, name: str, user_id: str) -> Row:
        """Return the button that connects the server as what it is."""
        self._forget_old()
        token = secrets.token_hex(8)
        now = self._clock.monotonic()
        self._kept[token] = Typed(user_id=user_id, kind=kind, url=url, key=key, owner=owner, name=name, kept_at=now)
        label = _("Connect it as {title}", title=title)
        return (Button(action=ACTION, job_id=token, label=label, emoji="🔌", style="primary"),)

    def take(self, token: str, user_id: str) -> Typed:
        """Return what was typed, once.

        Raises:
            NotAllowed: somebody else has typed it.
            RequestRejected: it is no longer kept.
        """
        self._forget_old()
        typed = self._kept.get(token)
        if typed is None:
            raise RequestRejected(_("I no longer know what you typed."), hint=_("Type it again: `/sdconnect`."))
        if typed.user_id != user_id:
            raise NotAllowed(_("Only who typed the address can connect it."))
        return self._kept.pop(token)

    def _forget_old(self) -> None:
        before = self._clock.monotonic() - KEPT_S
        recent = [(token, typed) for token, typed in self._kept.items() if typed.kept_at > before]
        self._kept = dict(recent[-MOST_KEPT:])
