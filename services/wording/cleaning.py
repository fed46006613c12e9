"""Words of a model on their way to people: one line, within the length of a prompt, and nothing that Easel would obey.

What a model writes is drawn as if somebody had typed it, so it must not carry what typing can: options, addresses of
pictures, wildcards, choices in braces, mentions, or tags of LoRAs that nobody asked for.
"""

import re
from collections.abc import Iterable
from typing import Final

from constants import MAX_PROMPT_CHARS
from generation.foreign import clean_line
from lazy import pattern

MOST_TAGS: Final = 12
MAX_TAG_CHARS: Final = 40
_ADDRESS: Final = pattern(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_OPTION: Final = pattern(r"(?:^|(?<=\s))[-–—]{1,2}(?=[A-Za-z])")
_WILDCARD: Final = pattern(r"__([^\s_]+(?:_[^\s_]+)*)__")
_TAG: Final = pattern(r"<[^<>]*>")
_SIGNS: Final = str.maketrans({"{": "(", "}": ")", "`": "'", "|": ",", "@": ""})


def clean_prompt(text: str, asked: str = "") -> str:
    """Return words of a model as a prompt; tags in angle brackets stay where the prompt that was given has them."""
    text = _ADDRESS.sub("", clean_line(text, 4 * MAX_PROMPT_CHARS))
    text = _TAG.sub(lambda tag: tag[0] if tag[0] in asked else "", text)
    text = _WILDCARD.sub(r"\1", _OPTION.sub("", text)).translate(_SIGNS)
    return clean_line(" ".join(text.split()).strip(" \"'“”"), MAX_PROMPT_CHARS)


def clean_prompts(texts: Iterable[str], *, besides: Iterable[str] = (), most: int, asked: str = "") -> tuple[str, ...]:
    """Return several as prompts, those that differ from each other and from what is there already."""
    there = {text.casefold() for text in besides}
    different: dict[str, str] = {}
    for text in (clean_prompt(text, asked) for text in texts):
        if text and text.casefold() not in there:
            different.setdefault(text.casefold(), text)
    return tuple(different.values())[:most]


def clean_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Return short words for what something is about."""
    cleaned = (clean_line(text, MAX_TAG_CHARS).strip(" #,.").casefold() for text in texts)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:MOST_TAGS]
