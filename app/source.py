"""The source of a running Easel's settings: read once at the start, and again when that is asked for."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from config import Settings, read_settings
from settings.reading.engines import other_names
from settings.reading.env_file import read_env_file
from texts.text import _
from utils.logger import LogFile, setup_logging
from utils.secrets import make_private_folder

ENV_FILE: Final = Path(".env")
LOG_NAME: Final = "easel.log"


class SettingsSource:
    """The file, the environment that wins over it, and what the command line adds.

    Args:
        env_file: `.env`.
        environ: the environment, which no running process can have again.
        no_web: `--no-web` was given.
        is_bot: its log is what people see of it; a console shows errors only.
    """

    def __init__(
        self,
        env_file: Path = ENV_FILE,
        environ: Mapping[str, str] = os.environ,
        *,
        no_web: bool = False,
        is_bot: bool = True,
    ) -> None:
        self._env_file = env_file
        self._environ = environ
        self._no_web = no_web
        self.is_bot = is_bot
        self.keeps_log = True  # a command that only looks writes none
        self._secrets: dict[str, None] = {}  # all there were: an old one may still come along in an error

    def read(self) -> Settings:
        """Return the settings as they are now.

        Raises:
            SettingsError: some cannot be used.
        """
        settings = read_settings(self._env_file, self._environ)
        return settings.changed(web={"is_on": False}) if self._no_web else settings

    def set_logging(self, settings: Settings) -> None:
        """Log as these settings say from now on, without any secret that was ever set.

        Raises:
            OSError: the folder of the log cannot be used; it goes on as before.
        """
        self._secrets |= dict.fromkeys(settings.secrets())
        level = settings.logs.level if self.is_bot or settings.logs.level == "DEBUG" else "ERROR"
        logs, file = settings.logs, None
        if self.keeps_log and logs.folder:
            folder = settings.storage.data_dir / logs.folder
            make_private_folder(folder)
            file = LogFile(path=folder / LOG_NAME, most_bytes=logs.most_mb * 1024**2, kept=logs.kept)
        setup_logging(logs.level, logs.format, self._secrets, file=file, shown=level)

    def as_typed(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return names of settings as its owner writes them: OPENAI_API_KEY where that is set in place of ours."""
        given = {**read_env_file(self._env_file)[0], **self._environ}
        typed = {own: other for other, own in other_names().items() if given.get(other) and not given.get(own)}
        return tuple(typed.get(name, name) for name in names)

    def hints(self) -> tuple[str, ...]:
        """Return what in the file has no effect, since the environment says otherwise and cannot be read again."""
        if not self._env_file.is_file():
            return (_("There is no .env in the folder that Easel runs in; its environment counts from a start on."),)
        values, __ = read_env_file(self._env_file)
        names = [name for name, value in values.items() if self._environ.get(name, value).strip() != value.strip()]
        return tuple(_("{name} is set in the environment too, which wins.", name=name) for name in names)
