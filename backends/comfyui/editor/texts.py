"""Texts as the editor changes them when it runs a graph: choices in prompts, and names of files."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from lazy import pattern

SAVERS: Final = frozenset({
    "SaveImage", "SaveImageAdvanced", "SaveSVGNode", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio",
    "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveGLB", "Save3DAdvanced", "SaveGaussianSplat",
    "SavePointCloud", "SaveAnimatedPNG", "CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent",
})  # fmt: skip
_COMMENT: Final = pattern(r"/\*[\s\S]*?\*/|//.*")
_ESCAPED: Final = pattern(r"\\([{}|])")
_TOKEN: Final = pattern(r"%([^%]+)%")
_UNSAFE: Final = pattern(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE_PART: Final = pattern(r"dd?|MM?|hh?|mm?|ss?|yyy?y?")


def settled(text: str) -> str:
    """Return a prompt without comments and with the first of each choice: "a {red|blue} fox" is "a red fox"."""
    text = _COMMENT.sub("", text)
    kept: list[str] = []
    shown = [True]  # for each open choice, whether the part at hand is its first
    place = 0
    while place < len(text):
        sign = text[place : place + 2] if text[place] == "\\" else text[place]
        place += len(sign)
        if sign == "{":
            shown.append(shown[-1])
        elif sign == "}" and len(shown) > 1:
            shown.pop()
        elif sign == "|" and len(shown) > 1:
            shown[-1] = False
        elif shown[-1]:
            kept.append(sign)
    return _ESCAPED.sub(r"\1", "".join(kept))


def file_prefix(text: str, value_of: Callable[[str, str], str | None], now: datetime) -> str:
    """Return the start of a file's name with "%KSampler.seed%" and "%date:yyyy-MM-dd%" filled in.

    Args:
        text: as it was saved.
        value_of: the value of a widget by the node's name and its own, None if there is none.
        now: the time that dates are taken from.
    """

    def fill(match: re.Match[str]) -> str:
        parts = match[1].split(".")
        if len(parts) != 2:
            return _date(parts[0][5:], now) if parts[0].startswith("date:") else match[0]
        value = value_of(parts[0], parts[1])
        return match[0] if value is None else _UNSAFE.sub("_", value)

    return _TOKEN.sub(fill, text)


def _date(pattern: str, now: datetime) -> str:
    parts = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}

    def fill(match: re.Match[str]) -> str:
        if match[0][0] == "y":
            return f"{now.year:04}"[-2:] if len(match[0]) == 2 else f"{now.year:04}"
        return f"{parts[match[0][0]]:0{len(match[0])}}"

    return _DATE_PART.sub(fill, pattern)
