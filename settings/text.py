"""The text engine: a language model that writes prompts more fully and finds words for pictures."""

from typing import Any, ClassVar, Final

from pydantic import SecretStr

from settings.fields import HTTP_URL, Group, Span, Url, address, number, secret, setting, span, switch, text
from texts.text import _

ANTHROPIC_URL: Final = "https://api.anthropic.com"
ANTHROPIC_MODEL: Final = "claude-haiku-5-5"
MOST_USD: Final = 10_000


def _price(meaning: str, way: str) -> Any:
    return number(0.0, meaning, low=0, high=MOST_USD, variable=f"TEXT_ENGINE_USD_{way}")


class TextSettings(Group):
    title: ClassVar[str] = _("Text engine")
    live: ClassVar[frozenset[str]] = frozenset(
        {
            "url",
            "model",
            "vision_model",
            "key",
            "anthropic_api_key",
            "anthropic_base_url",
            "anthropic_model",
            "timeout_s",
            "concurrency",
            "usd_in",
            "usd_out",
        }
    )

    url: Url = address(
        _("A language model with OpenAI’s chat, like http://127.0.0.1:11434/v1 of Ollama (docs/text-engines.md)"),
        _("an address that begins with http:// or https://, with no user name or password in it"),
        variable="TEXT_ENGINE_URL",
    )
    model: str = text(
        "",
        _("The model to ask there, by the name that its server gives it"),
        _("a name of at most 200 characters"),
        variable="TEXT_ENGINE_MODEL",
        max_length=200,
    )
    vision_model: str = text(
        "",
        _("The model to ask about pictures there; empty: TEXT_ENGINE_MODEL"),
        _("a name of at most 200 characters"),
        variable="TEXT_ENGINE_VISION_MODEL",
        max_length=200,
    )
    key: SecretStr = secret(_("Its key, where it wants one"), _("an API key"), variable="TEXT_ENGINE_KEY")
    anthropic_api_key: SecretStr = secret(
        _("Lets Claude write prompts more fully and describe pictures, where TEXT_ENGINE_URL is empty"), _("an API key")
    )
    anthropic_base_url: Url = setting(
        ANTHROPIC_URL,
        _("Where Anthropic’s API is, or what speaks it in its place"),
        _("an address that begins with http:// or https://, with no user name or password in it"),
        pattern=HTTP_URL,
    )
    anthropic_model: str = text(
        ANTHROPIC_MODEL, _("The model of Anthropic’s to ask"), _("a name of at most 200 characters"), max_length=200
    )
    usd_in: float = _price(_("US dollars for a million tokens that it reads; 0: by text_engines/prices.toml"), "IN")
    usd_out: float = _price(_("US dollars for a million tokens that it writes; 0: the same"), "OUT")
    timeout_s: Span = span(
        20.0,
        _("Longest wait for its answer; then the rules do its work"),
        variable="TEXT_ENGINE_TIMEOUT",
        low=1,
        high=300,
    )
    concurrency: int = number(
        2, _("Questions that it is asked at the same time"), variable="TEXT_ENGINE_CONCURRENCY", low=1, high=64
    )
    alt_texts: bool = switch(
        False,
        _("Describe finished pictures for screen readers by looking at them (asks the text engine about each)"),
        variable="TEXT_ENGINE_ALT_TEXTS",
    )
    translates: bool = switch(
        False,
        _("Translate prompts into English for engines that want it"),
        variable="TEXT_ENGINE_TRANSLATES",
    )
    enhances: bool = switch(
        False,
        _("Write short prompts more fully before they are drawn; what was typed stands in the small print"),
        variable="TEXT_ENGINE_ENHANCES",
    )
    replies: bool = switch(
        False,
        _("Read replies to pictures that the rules do not understand (asks the text engine about each)"),
        variable="TEXT_ENGINE_REPLIES",
    )

    @property
    def is_on(self) -> bool:
        return bool(self.url or self.anthropic_api_key.get_secret_value())
