"""Level, form and place of the log."""

from typing import Annotated, ClassVar, Literal

from settings.fields import Group, Lower, Upper, number, text
from texts.text import _


class LogSettings(Group):
    title: ClassVar[str] = "Logs"
    live: ClassVar[frozenset[str]] = frozenset({"level", "format", "folder", "most_mb", "kept"})

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = text(
        "INFO", _("How much is logged"), _("DEBUG, INFO, WARNING or ERROR"), variable="LOG_LEVEL"
    )
    format: Annotated[Literal["text", "json"], Lower] = text(
        "text", _("Format of the log"), _("text or json"), variable="LOG_FORMAT"
    )
    folder: str = text(
        "",
        _("Folder that also gets the log, as easel.log; a relative path is inside DATA_DIR; empty: none"),
        _("a folder"),
        variable="LOG_DIR",
    )
    most_mb: int = number(10, _("MB at which a new easel.log is begun"), variable="LOG_MAX_MB", low=1, high=1000)
    kept: int = number(5, _("How many full ones are kept beside it"), variable="LOG_KEEP", low=1, high=1000)
