"""The check of finished pictures."""

from typing import ClassVar

from settings.fields import Group, setting, switch
from texts.text import _

DEFAULT_THRESHOLD = 0.5


class FilterSettings(Group):
    title: ClassVar[str] = _("Picture check")
    live: ClassVar[frozenset[str]] = frozenset({"is_on", "threshold"})

    is_on: bool = switch(
        False,
        _("Hold back finished pictures that a network takes for not safe for work (docs/backends/art.md)"),
        variable="ENABLE_NSFW_FILTER",
    )
    threshold: float = setting(
        DEFAULT_THRESHOLD,
        _("What is held back: pictures that score as much or more, from 0 (harmless) to 1"),
        _("a number, 0.01 to 1"),
        variable="NSFW_FILTER_THRESHOLD",
        ge=0.01,
        le=1,
    )
