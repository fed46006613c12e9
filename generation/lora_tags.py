"""`<lora:name:weight>` in a text is a LoRA, for every door and every engine; no engine sees it as words."""

import re
from dataclasses import replace

from constants import MAX_PROMPT_CHARS
from generation.request import Draft, Lora

_TAG = re.compile(r"<(?:lora|lyco):([^:<>]+)(?::([+-]?(?:\d+\.?\d*|\.\d+)))?(?::[^<>]*)?>", re.IGNORECASE)


def take_lora_tags(text: str, loras: list[Lora]) -> str:
    """Move every `<lora:name:weight>` out of the text; what is left is joined anew, so look until none is left."""
    while tag := _TAG.search(text):
        if tag[1].strip():
            loras.append(Lora(name=tag[1].strip(), weight=float(tag[2] or 1)))
        text = f"{text[: tag.start()]} {text[tag.end() :]}"
    return " ".join(text.split())


def with_tags_as_loras(draft: Draft) -> Draft:
    """Return the draft with the tags of its prompts among its LoRAs; without a tag its words stay as they are."""
    loras: list[Lora] = []
    if _may_hold_tags(draft.prompt):
        draft = replace(draft, prompt=take_lora_tags(draft.prompt, loras))
    if draft.negative_prompt and _may_hold_tags(draft.negative_prompt):
        draft = replace(draft, negative_prompt=take_lora_tags(draft.negative_prompt, loras))
    return replace(draft, loras=(*draft.loras, *loras)) if loras else draft


def _may_hold_tags(text: str) -> bool:
    return len(text) <= MAX_PROMPT_CHARS and _TAG.search(text) is not None  # a longer one is refused by its length
