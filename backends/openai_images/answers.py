"""Answers of these servers, as far as it is read.

Sources: OpenAI's openapi of 2026-08, the SDK of OpenRouter 1.3.84, xAI's 1.21.0. Ticks are xAI's: 10,000,000,000 to a
dollar.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from backends.prices import Price

TICKS_PER_USD: Final = 10_000_000_000


class Listed(BaseModel):
    """One model of a list, any more in it left out."""

    id: str
    owned_by: str | None = None
    shutdown_date: str | None = None
    labels: list[str] | None = None  # Lemonade's
    name: str | None = None
    supported_parameters: dict[str, Any] | None = None  # OpenRouter's
    supports_streaming: bool | None = None


class ModelList(BaseModel):
    """An answer of `GET /v1/models`."""

    data: list[Listed]


class PriceEntry(BaseModel):
    """One line of what a model costs at OpenRouter."""

    billable: str = ""
    cost_usd: float | None = None
    unit: str = ""


class RoutedEndpoint(BaseModel):
    """One place where OpenRouter has a model drawn."""

    pricing: list[PriceEntry] = []


class Endpoints(BaseModel):
    """An answer of `GET /v1/images/models/{author}/{slug}/endpoints`."""

    endpoints: list[RoutedEndpoint] = []


class Tokens(BaseModel):
    """Of what kind tokens were."""

    text_tokens: int | None = None
    image_tokens: int | None = None


class Usage(BaseModel):
    """The use of a request: tokens, or the price itself."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: Tokens | None = None
    output_tokens_details: Tokens | None = None
    cost: float | None = None
    cost_in_usd_ticks: int | None = None

    def usd(self, price: Price | None) -> float | None:
        """Return what the request cost; None where that cannot be known."""
        if self.cost is not None:
            return self.cost
        if self.cost_in_usd_ticks is not None:
            return self.cost_in_usd_ticks / TICKS_PER_USD
        if price is None or not price.tokens or self.output_tokens is None:
            return None
        return price.for_tokens(self._used())

    def _used(self) -> Mapping[str, int]:
        given, drawn = self.input_tokens_details or Tokens(), self.output_tokens_details or Tokens()
        pictures = given.image_tokens or 0
        words = drawn.text_tokens or 0
        return {
            "text_in": max(0, (self.input_tokens or 0) - pictures),
            "image_in": pictures,
            "image_out": max(0, (self.output_tokens or 0) - words),
            "text_out": words,
        }


class DrawnPicture(BaseModel):
    """One picture, by URL or inside."""

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None

    @property
    def given(self) -> str:
        return self.b64_json or self.url or ""


class Drawn(BaseModel):
    """The answer to a request for pictures."""

    data: list[DrawnPicture]
    usage: Usage | None = None


class StreamError(BaseModel):
    """A failure after a stream had begun."""

    message: str = ""
    code: str | None = None
    type: str | None = None


class StreamEvent(BaseModel):
    """One event of a stream: a partial picture, the picture, or an error."""

    type: str = ""
    b64_json: str | None = None
    partial_image_index: int | None = None
    usage: Usage | None = None
    error: StreamError | None = None
    message: str | None = None
    code: str | None = None
