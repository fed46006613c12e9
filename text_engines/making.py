"""Make the text engine that is set: a server with OpenAI's chat before Anthropic, since it may be on this machine."""

from typing import Final

from net.endpoint import Endpoint
from settings.text import TextSettings
from text_engines.base import TextEngine

VERSION_PATH: Final = "/v1"


def make_text_engine(settings: TextSettings) -> TextEngine | None:
    """Return the engine, None where none is set; it connects when it is asked."""
    if settings.url:
        from text_engines.openai_chat import OpenAIChatEngine  # only here: where it is set

        return OpenAIChatEngine(
            _endpoint(_with_version(settings.url), settings),
            settings.key.get_secret_value(),
            model=settings.model,
            vision_model=settings.vision_model,
        )
    if key := settings.anthropic_api_key.get_secret_value():
        from text_engines.anthropic import AnthropicEngine  # only here: where it is set

        url = settings.anthropic_base_url.removesuffix(VERSION_PATH)
        return AnthropicEngine(_endpoint(url, settings), key, model=settings.anthropic_model)
    return None


def _endpoint(url: str, settings: TextSettings) -> Endpoint:
    """Return where it is: set by the owner, who may go anywhere."""
    return Endpoint(url=url, timeout_s=settings.timeout_s, is_trusted=True)


def _with_version(url: str) -> str:
    """Add what all these servers have in front of their paths, where nothing but the host is given."""
    return url if url.count("/") > 2 else f"{url}{VERSION_PATH}"
