"""The ids of moderators' buttons: `m1:action:report:argument`."""

from typing import Final

from cogs.cards import Button
from lazy import dataclass

PREFIX: Final = "m1"


@dataclass(frozen=True, kw_only=True)
class ModerationButton(Button):
    """A button for moderators; `job_id` is the report or the place in a list that it is about."""

    @property
    def custom_id(self) -> str:
        return make_moderation_id(self.action, self.job_id, self.argument)


def make_moderation_id(action: str, subject: str, argument: str = "") -> str:
    """Return the id of a button or form."""
    return f"{PREFIX}:{action}:{subject}" + (f":{argument}" if argument else "")
