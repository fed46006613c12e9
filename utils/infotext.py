"""Generation parameters as text, in the form that Automatic1111 and Forge write into their pictures and read back.

The prompt, a line "Negative prompt: ...", and last a line of "Key: value" pairs. No specification exists: the rules
are those of the server's own writer and reader, checked against what it really wrote (tests/data/a1111).
"""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from lazy import dataclass, pattern

NEGATIVE: Final = "Negative prompt:"
MIN_PAIRS: Final = 3  # a last line with fewer is a line of the prompt
MAX_PAIRS_CHARS: Final = 65_536  # and so is a longer one: what is read may come from anybody

MAX_LINES_BEHIND: Final = 8

# The length of a key is bounded: else a long line without a colon would be looked through once for each of its signs.
_PAIR = pattern(r'(\w[\w \-/]{1,99}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SIZE = pattern(r"(\d+)x(\d+)")


@dataclass(frozen=True, kw_only=True)
class Infotext:
    """The parameters in a picture; a `WxH` value is there as `Size-1` and `Size-2`."""

    prompt: str
    negative_prompt: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def format_infotext(prompt: str, negative_prompt: str, parameters: Mapping[str, object]) -> str:
    """Write the text; parameters that are None are left out, their order is kept."""
    pairs = [_pair(key, str(value)) for key, value in parameters.items() if value is not None]
    negative = f"\n{NEGATIVE} {negative_prompt}" if negative_prompt else ""
    return f"{prompt}{negative}\n{', '.join(pairs)}".strip()


def parse_infotext(text: str) -> Infotext:
    """Read such a text; anything else comes back as a prompt without parameters."""
    lines, pairs = _split(text.strip().split("\n"))
    prompt: list[str] = []
    negative: list[str] = []
    current = prompt
    for line in map(str.strip, lines):
        if line.startswith(NEGATIVE):
            current = negative
            line = line.removeprefix(NEGATIVE).strip()
        current.append(line)
    return Infotext(
        prompt="\n".join(prompt).strip("\n"),
        negative_prompt="\n".join(negative).strip("\n"),
        parameters=_parameters(pairs),
    )


def _split(lines: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the lines of words and the pairs; behind the line of pairs some add-ons write lines of their own."""
    for end in range(len(lines), max(0, len(lines) - MAX_LINES_BEHIND - 1), -1):
        last, behind = lines[end - 1], lines[end:]
        pairs = _PAIR.findall(last) if len(last) <= MAX_PAIRS_CHARS else []
        if len(pairs) >= MIN_PAIRS and (not behind or last.lstrip().startswith("Steps: ")):
            added = [line.partition(": ") for line in behind]
            return lines[: end - 1], [*pairs, *((key.strip(), value) for key, sep, value in added if sep)]
    return lines, []


def _pair(key: str, value: str) -> str:
    if key == value:
        return key
    if any(sign in value for sign in ",:\n"):
        value = json.dumps(value, ensure_ascii=False)
    return f"{key}: {value}"


def _parameters(pairs: list[tuple[str, str]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for key, raw in pairs:
        value = _unquoted(raw)
        if size := _SIZE.fullmatch(value):
            parameters[f"{key}-1"], parameters[f"{key}-2"] = size.groups()
        else:
            parameters[key] = value
    return parameters


def _unquoted(value: str) -> str:
    if not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
