"""Anthropic's Messages API: POST /v1/messages answers when the text is written.

Sources: types of the anthropic SDK 2.14 (`Authorization: Bearer`, version 2026-10-21, `output_config.format`), and the
vision guide (the picture before the words). That version refuses `temperature`, `top_p` and `top_k`: none is sent.
"""

import base64
from typing import Any, Final

from pydantic import BaseModel

from net.calls import Calls
from net.client import BearerAuth, make_client
from net.endpoint import Endpoint
from text_engines.base import MAX_ANSWER_BYTES, Count, Form, Json, TextQuestion, TokensUsed
from text_engines.forms import read_form, schema_of, unfinished
from text_engines.refusals import blocked, for_words, refused

URL: Final = "https://api.anthropic.com"
VERSION: Final = "2026-10-21"
MODEL: Final = "claude-haiku-5-5"


class _Block(BaseModel):
    type: str
    text: str = ""


class _StopDetails(BaseModel):
    category: str | None = None
    explanation: str | None = None


class _MessageUsage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None


class _Message(BaseModel):
    content: list[_Block] = []
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    model: str = ""
    usage: _MessageUsage | None = None


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model] = []


class AnthropicEngine:
    """One model of Anthropic's; all of them see pictures."""

    def __init__(self, endpoint: Endpoint, key: str, *, model: str = MODEL) -> None:
        self.model = self.vision_model = model
        client = make_client(endpoint, auth=BearerAuth(key))
        self._calls = Calls(model, client, refusal=refused, limit=MAX_ANSWER_BYTES)

    async def ask(self, question: TextQuestion[Form], count: Count) -> Form:
        with for_words():
            body = await self._calls.fetch(
                "POST", "/v1/messages", json=_to_payload(question, self.model), headers={"anthropic-version": VERSION}
            )
            message = await self._calls.as_kind(_Message, body)
            if message.usage is not None:
                count(_tokens(message.usage))
            if message.stop_reason == "refusal":
                details = message.stop_details or _StopDetails()
                raise blocked(self.model, details.explanation or (details.category or "").replace("_", " "))
            if message.stop_reason == "max_tokens":
                raise unfinished(self.model)
            text = "".join(block.text for block in message.content if block.type == "text")
            return read_form(self.model, question.form, text)

    async def models(self) -> tuple[str, ...]:
        with for_words():
            body = await self._calls.fetch("GET", "/v1/models?limit=1000", headers={"anthropic-version": VERSION})
            return tuple(entry.id for entry in (await self._calls.as_kind(_Models, body)).data)

    async def aclose(self) -> None:
        await self._calls.aclose()


def _to_payload(question: TextQuestion[Any], model: str) -> Json:
    content: list[Json] = []
    if picture := question.picture:
        data = base64.b64encode(picture.data).decode()
        source = {"type": "base64", "media_type": picture.media_type, "data": data}
        content.append({"type": "image", "source": source})
    content.append({"type": "text", "text": question.words})
    return {
        "model": model,
        "max_tokens": question.most_tokens,
        "system": question.task,
        "messages": [{"role": "user", "content": content}],
        "output_config": {"format": {"type": "json_schema", "schema": schema_of(question.form)}},
    }


def _tokens(usage: _MessageUsage) -> TokensUsed:
    cached = usage.cache_read_input_tokens or 0
    return TokensUsed(tokens_in=usage.input_tokens + cached, tokens_cached=cached, tokens_out=usage.output_tokens)
