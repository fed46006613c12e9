"""Logs: a sentence for people, then fields. As text or as one JSON object a line, without any secret.

What is known to be secret is replaced, and so is what looks like it: credentials in URLs, Authorization headers, and
the interaction tokens that Discord's client writes at DEBUG (whoever has one may answer in the bot's name).
"""

import atexit
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TextIO

from lazy import dataclass, pattern
from texts.text import _
from utils.secrets import REDACTED, redact

# What every record has; anything else came in through `extra`.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_ALWAYS_SHOWN: Final = "store.database"  # also where only errors are: a database has a new form but once
_NOISY: Final = {
    "aiosqlite": logging.WARNING,  # each statement
    "asyncio": logging.WARNING,
    "c2pa": logging.WARNING,  # where it looks for its library
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,  # each request, with its URL
    "nextcord": logging.WARNING,
    "nextcord.gateway": logging.WARNING,  # at DEBUG every event whole: prompts, and the keys typed into /sdconnect
    "nextcord.http": logging.WARNING,
    "PIL": logging.WARNING,
    _ALWAYS_SHOWN: logging.WARNING,
}
_PATTERNS: Final = (
    (pattern(r"(\w://)[^\s/?#]*@"), rf"\1{REDACTED}@"),
    (pattern(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(?:(?:bot|bearer|basic)\s+)?[^\s'\",}]+"), rf"\1{REDACTED}"),
    (pattern(r"(?i)(\btoken['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"), rf"\1{REDACTED}"),
    (pattern(r"(/(?:interactions|webhooks)/\d+/)[\w.-]{20,}"), rf"\1{REDACTED}"),
)


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A file beside the stream; full ones are renamed to `easel.log.1` and so on, the oldest is deleted."""

    path: Path
    most_bytes: int
    kept: int


def setup_logging(
    level: str,
    fmt: str,
    secrets: Iterable[str],
    stream: TextIO | None = None,
    *,
    file: LogFile | None = None,
    shown: str = "",
) -> None:
    """Send every log line to `stream` (stderr), as `text` or `json`; a second call replaces the first.

    Args:
        level: the least that is logged.
        fmt: `text` or `json`.
        secrets: what no line may hold.
        stream: the place of the log.
        file: gets the same lines, in a thread of its own.
        shown: the least that goes to the stream; the same if empty.

    Raises:
        OSError: the file cannot be written; the log goes on as before.
    """
    formatter = JsonFormatter(secrets) if fmt == "json" else TextFormatter(secrets)
    to_file = _FileLog(file) if file else None  # first: it may fail
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_Least(shown or level))
    root = logging.getLogger()
    for old in tuple(root.handlers):
        if getattr(old, "is_easel", False):
            root.removeHandler(old)
            if isinstance(old, _FileLog):
                old.close()
    handlers: list[logging.Handler] = [handler, *([to_file] if to_file else [])]
    for new in handlers:
        new.setFormatter(formatter)
        new.is_easel = True  # type: ignore[attr-defined]
        root.addHandler(new)
    root.setLevel(level if file else shown or level)
    warnings.filterwarnings("ignore", _("pkg_resources is deprecated"), UserWarning)  # nextcord 2.6 needs it
    for name, least in _NOISY.items():
        # at DEBUG Discord's own client may speak, since that is what one then looks for
        logging.getLogger(name).setLevel(logging.DEBUG if level == "DEBUG" and name == "nextcord" else least)


class _Least(logging.Filter):
    """Passes what is severe enough, and whatever a logger with a level of its own lets through."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self._least = logging.getLevelNamesMapping()[level]

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._least or record.name == _ALWAYS_SHOWN


class _FileLog(QueueHandler):
    """Writes lines in a thread, so that a slow disk holds up nobody; they are cleaned of secrets before."""

    def __init__(self, file: LogFile) -> None:
        lines: SimpleQueue[logging.LogRecord] = SimpleQueue()
        super().__init__(lines)
        self._target = _PrivateFile(file.path, maxBytes=file.most_bytes, backupCount=file.kept, encoding="utf-8")
        self._listener = QueueListener(lines, self._target)
        self._listener.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Write what is left and close the file."""
        atexit.unregister(self.close)
        if self._listener._thread is not None:
            self._listener.stop()
        with suppress(OSError, ValueError):  # the disk may be full
            self._target.close()
        super().close()


class _PrivateFile(RotatingFileHandler):
    """Readable by its owner alone; where it cannot be written, one line says so, not one for each that is lost."""

    _is_broken = False

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return open(descriptor, "a", encoding=self.encoding, errors="replace")  # of a descriptor

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._is_broken:
            self._is_broken = True
            print(_("The log file cannot be written: {name}.", name=self.baseFilename), file=sys.stderr)  # noqa: T201


# What would steer the terminal that shows the log; tabs and the lines of tracebacks stay.
_CONTROLS: Final = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


class TextFormatter(logging.Formatter):
    """`12:01:33 INFO job finished · job=3f9a12 seconds=14.2`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{when:%Y-%m-%d %H:%M:%S} {record.levelname} {record.getMessage()}"
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        if fields:
            line += f" · {fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return clean(line, self._secrets)


class JsonFormatter(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, the fields, and `exception` if there is one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        values: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: self._cleaned(value) for name, value in values.items()}, ensure_ascii=False)

    def _cleaned(self, value: Any) -> Any:
        # before the encoding: a secret with a quote in it would not be found after it
        return value if isinstance(value, int | float | bool | None) else clean(str(value), self._secrets)


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace secrets, and what looks like one, by `***`."""
    text = redact(text, secrets)
    for found, replacement in _PATTERNS:
        text = found.sub(replacement, text)
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode()


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
