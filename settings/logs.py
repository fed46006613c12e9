"""Level and form of the log."""

from typing import Annotated, ClassVar, Literal

from settings.fields import Group, Lower, Upper, text
from texts.text import _


class LogSettings(Group):
    title: ClassVar[str] = "Logs"
    live: ClassVar[frozenset[str]] = frozenset({"level", "format"})

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = text(
        "INFO", _("How much is logged"), _("DEBUG, INFO, WARNING or ERROR"), variable="LOG_LEVEL"
    )
    format: Annotated[Literal["text", "json"], Lower] = text(
        "text", _("Format of the log"), _("text or json"), variable="LOG_FORMAT"
    )
