"""`<lora:name:weight>` in a text is a LoRA, for every door and every engine; no engine sees it as words.

What may follow the weight (`te=0.5`, `unet=0.7`, a second number, `lbw=` of an extension) only A1111 and its kin read:
https://github.com/AUTOMATIC1111/stable-diffusion-webui, extensions-builtin/Lora/extra_networks_lora.py. Among
alternatives, `{a|<lora:x:1>}`, a tag stays where it is: which of them is drawn is the engine's to choose.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from constants import MAX_PROMPT_CHARS
from generation.option_values import read_number
from generation.options import reject
from generation.request import Draft, GenerationRequest, Lora
from generation.values import changed
from lazy import pattern
from texts.text import _

_TAG: Final = pattern(r"[<＜]\s*(?:lora|lyco)\s*[:：]([^:：<>＜＞]+)(?:[:：]([^<>＜＞]*))?[>＞]", re.IGNORECASE)
_BRACE: Final = pattern(r"[{}|]")


def take_lora_tags(text: str, loras: list[Lora], *, is_strict: bool = True) -> str:
    """Move the tags out of the text; what is left is joined again, so look until none is left.

    Args:
        text: a prompt.
        loras: what is found is added here.
        is_strict: refuse a weight that is none; else it counts as 1.

    Raises:
        RequestRejected: a weight is none.
    """
    is_found = True
    while is_found:
        is_found, kept, end = False, [], 0
        choices = _choices(text)
        for tag in _TAG.finditer(text):
            if any(first < tag.start() < last for first, last in choices):
                continue
            if lora := _lora(tag, is_strict=is_strict):
                loras.append(lora)
            kept.append(text[end : tag.start()])
            is_found, end = True, tag.end()
        text = " ".join([*kept, text[end:]])
    return " ".join(text.split())


def with_tags_as_loras(draft: Draft) -> Draft:
    """Return the draft with the tags of its prompts among its LoRAs; without a tag its words stay as they are.

    Raises:
        RequestRejected: a weight is none.
    """
    loras: list[Lora] = []
    if _may_hold_tags(draft.prompt):
        draft = changed(draft, prompt=take_lora_tags(draft.prompt, loras))
    if draft.negative_prompt and _may_hold_tags(draft.negative_prompt):
        draft = changed(draft, negative_prompt=take_lora_tags(draft.negative_prompt, loras))
    return changed(draft, loras=(*draft.loras, *loras)) if loras else draft


def tag_of(lora: Lora) -> str:
    """Write a LoRA as a tag, with every digit of its weight."""
    short = f"{lora.weight:g}"
    weight = short if float(short) == lora.weight else repr(lora.weight)
    return f"<lora:{lora.name}:{weight}{':' + lora.details if lora.details else ''}>"


def is_taggable(lora: Lora) -> bool:
    """Return whether a tag can hold its name: nothing in it ends the tag or begins an option."""
    return not re.search('[:：<>＜＞‐-―−"“”„]|--', lora.name)


def fit_lora_tags(request: GenerationRequest, reads_tags: bool, say: Callable[[str], None]) -> GenerationRequest:
    """Leave out what only engines that read tags themselves understand, and say it."""
    if reads_tags:
        return request
    for lora in request.loras:
        if lora.details:
            say(
                _(
                    "LoRA {name}: “{details}” left out, which only A1111 and Forge read",
                    name=lora.name,
                    details=lora.details,
                )
            )
    if tag := _TAG.search(request.prompt):
        say(_("{tag} left among alternatives {{a|b}}, where this engine reads it as words", tag=tag[0]))
    return changed(request, loras=tuple(changed(lora, details="") for lora in request.loras))


def _lora(tag: re.Match[str], *, is_strict: bool) -> Lora | None:
    """Read a tag; None: it names nothing."""
    name = tag[1].strip()
    given = unicodedata.normalize("NFKC", tag[2] or "").replace("−", "-")
    first, __, rest = (part.strip() for part in given.partition(":"))
    if "=" in first:
        first, rest = "", given
    weight = read_number(first) if first else 1.0
    if weight is None and name and is_strict:
        raise reject("loras", f"{name}:{first}", _("name or name:weight"))
    details = ":".join(part.strip() for part in rest.split(":")).strip(":")
    return Lora(name=name, weight=1.0 if weight is None else weight, details=details) if name else None


def _choices(text: str) -> list[tuple[int, int]]:
    """Return where each `{a|b}` begins and ends; braces without a choice in them only stress what they hold."""
    found: list[tuple[int, int]] = []
    begun: list[list[int]] = []  # where each open brace stands, and how many bars it has had
    for sign in _BRACE.finditer(text):
        if sign[0] == "{":
            begun.append([sign.start(), 0])
        elif sign[0] == "|" and begun:
            begun[-1][1] += 1
        elif sign[0] == "}" and begun:
            start, bars = begun.pop()
            if bars:
                found.append((start, sign.start()))
    return found


def _may_hold_tags(text: str) -> bool:
    return len(text) <= MAX_PROMPT_CHARS and _TAG.search(text) is not None  # a longer one is refused by its length
