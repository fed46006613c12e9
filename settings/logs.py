"""What is logged, and in which form."""

from typing import Annotated, ClassVar, Literal

from settings.fields import Group, Lower, Upper, text


class LogSettings(Group):
    title: ClassVar[str] = "Logs"

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = text(
        "INFO", "How much is logged", "DEBUG, INFO, WARNING or ERROR", variable="LOG_LEVEL"
    )
    format: Annotated[Literal["text", "json"], Lower] = text(
        "text", "Format of the log", "text or json", variable="LOG_FORMAT"
    )
