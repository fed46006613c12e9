"""The buttons that answer a question about an order: draw it, or do not."""

from typing import Final

from cogs.cards import Button
from generation.request import Draft
from lazy import dataclass
from texts.text import _, _n

PREFIX: Final = "q1"
DRAW: Final = "draw"
DROP: Final = "drop"


@dataclass(frozen=True, kw_only=True)
class AnswerButton(Button):
    """One of the two answers; the id of the question stands where a job's would."""

    @property
    def custom_id(self) -> str:
        return f"{PREFIX}:{self.action}:{self.job_id}"


def remedy_label(remedy: Draft) -> str:
    """Return the words on a button that draws what would be right in place of what was asked."""
    if remedy.width and remedy.height:
        return _("Draw {wide}×{high}", wide=remedy.width, high=remedy.height)
    if remedy.upscale_factor:
        return _("Upscale {factor:g}×", factor=remedy.upscale_factor)
    if remedy.steps:
        return _("Draw with {steps} steps", steps=remedy.steps)
    if remedy.priority:
        return _("Draw in turn")
    return _n("Draw {count} picture", "Draw {count} pictures", count=remedy.batch_size or 1)
