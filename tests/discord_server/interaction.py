"""One interaction from the press of a key to its last follow-up, as the server and the user know it.

Source: "Receiving and Responding to Interactions" of the official documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.discord_server.model import Account, Channel, Message

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
ACKNOWLEDGE_WITHIN_S, TOKEN_LIVES_S = 3.0, 900.0


@dataclass(frozen=True, kw_only=True)
class Modal:
    """A form as the user sees it."""

    title: str
    custom_id: str
    components: list[dict[str, Any]]
    interaction: Interaction

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """Inputs by custom id; each carries its label under "label"."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.components:
            inner = row.get("components") or [row.get("component")]
            for item in filter(None, inner):
                found[item["custom_id"]] = {"label": row.get("label"), **item}
        return found


@dataclass(eq=False, kw_only=True)
class Interaction:
    """The outcome of one slash command, press, choice or form.

    Attributes:
        acknowledged_after_s: None while the bot has not answered.
        callback_type: 4 message, 5 thinking, 6 and 7 update, 8 choices, 9 modal; None: "did not respond".
        original: the answer `@original` stands for.
        followups: messages sent after the answer.
    """

    id: int
    token: str
    type: int
    user: Account
    channel: Channel
    data: dict[str, Any]
    created_t: float
    source: Message | None = None
    acknowledged_after_s: float | None = None
    callback_type: int | None = None
    original: Message | None = None
    choices: list[dict[str, Any]] = field(default_factory=list)
    modal: Modal | None = None
    followups: list[Message] = field(default_factory=list)
    expired: bool = False

    @property
    def message(self) -> Message | None:
        """The answer as it stands now; None when there is none or it was deleted."""
        return None if self.original is None or self.original.deleted else self.original

    @property
    def ephemeral(self) -> bool:
        return self.original is not None and self.original.ephemeral

    def is_late(self, now: float) -> bool:
        return now - self.created_t > ACKNOWLEDGE_WITHIN_S

    @property
    def failed(self) -> bool:
        """True when the user sees "The application did not respond"."""
        return self.callback_type is None

    @property
    def name(self) -> str:
        return str(self.data.get("name") or self.data.get("custom_id"))

    def stamp(self) -> dict[str, Any]:
        """Return what a message carries about the interaction it answers."""
        who = self.user.to_json()
        shown: dict[str, Any] = {
            "webhook_id": str(self.data["application_id"]),
            "application_id": str(self.data["application_id"]),
            "interaction_metadata": {
                "id": str(self.id),
                "type": self.type,
                "user": who,
                "authorizing_integration_owners": {},
            },
        }
        if self.type == COMMAND:
            shown["interaction"] = {"id": str(self.id), "type": self.type, "name": self.data["name"], "user": who}
        return shown

    def __repr__(self) -> str:
        return f"<Interaction {self.name!r} type={self.callback_type} after={self.acknowledged_after_s}>"
