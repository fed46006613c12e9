"""The file `.env`: what it says, which of its lines say nothing, and addresses without the passwords in them."""

import re
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream

from lazy import pattern
from texts.text import _

MASKED: Final = "***"
NAME: Final = pattern(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Whatever stands before an @, and whatever a query says, may be a password, also in what is no address at all.
_BEFORE_AT: Final = pattern(r"^(?:.*?(\w+:/{1,2}))?.*@", re.DOTALL)
_QUERY: Final = pattern(r"\?.+", re.DOTALL)


def mask_address(text: str) -> str:
    """Return a value as it may be shown: what could be a password in an address is left out."""
    return _QUERY.sub(f"?{MASKED}", _BEFORE_AT.sub(rf"\1{MASKED}@", text))


def read_env_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the values of the file, and a sentence for each line that cannot be read; no file is an empty one.

    Raises:
        UnicodeDecodeError: it is no text in UTF-8.
    """
    if not path.is_file():
        return {}, []
    bindings = list(parse_stream(StringIO(path.read_text("utf-8-sig"))))
    values = {binding.key: binding.value for binding in bindings if _is_read(binding)}
    blank = (binding.original.string.strip() for binding in bindings)
    unread = [
        item for item, line in zip(bindings, blank, strict=True) if line[:1] not in ("", "#") and not _is_read(item)
    ]
    return {name: value or "" for name, value in values.items() if name}, [_sentence(item) for item in unread]


def _is_read(binding: Binding) -> bool:
    return bool(binding.key and binding.value is not None and NAME.fullmatch(binding.key))


def _sentence(binding: Binding) -> str:
    """Name the line, but of what stands there only the name: the rest may be a secret."""
    line = binding.original.string.lstrip()
    number = binding.original.line + binding.original.string[: len(binding.original.string) - len(line)].count("\n")
    name = re.match(rf"(?:export\s+)?({NAME.pattern})\s*=", line)
    of = f" ({name[1]})" if name else ""
    return _(
        "Line {number} of .env{of} cannot be read, so it is ignored. It must be NAME=value, quotes closed.",
        number=number,
        of=of,
    )
