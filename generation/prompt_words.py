"""Words of a prompt that comes without options: cleaned, and the LoRAs of its tags taken out."""

from generation.chat_words import seen
from generation.errors import RequestRejected
from generation.lora_tags import take_lora_tags
from generation.request import Lora
from texts.text import _


def words_of(prompt: str | None) -> tuple[str, tuple[Lora, ...]]:
    """Clean a prompt and take the LoRAs out of it.

    Raises:
        RequestRejected: there is none.
    """
    loras: list[Lora] = []
    text = take_lora_tags(seen(prompt or ""), loras)
    if not text:
        raise RequestRejected(_("Prompt is required"), field="prompt")
    return text, tuple(loras)
