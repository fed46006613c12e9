"""Any server with OpenAI's chat: POST /chat/completions of OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others.

Sources: types of the openai SDK 3.57; the compatibility pages of Ollama, LM Studio and vLLM. They differ in what they
take: how the longest answer is called, and whether a schema may go along. A refusal that names one of these is answered
by asking once more without it, and remembered. Pictures go along as data: local servers cannot fetch any.
"""

import base64
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from net.calls import Calls
from net.client import BearerAuth, make_client
from net.endpoint import Endpoint
from net.reply import Reply
from text_engines.base import MAX_ANSWER_BYTES, Count, Form, Json, TextQuestion, TokensUsed
from text_engines.forms import in_words, read_form, schema_of, unfinished
from text_engines.refusals import blocked, for_words, refusal_in, refused

OPENAI_HOST: Final = "api.openai.com"
NO_SCHEMA: Final = (
    "response_format",
    "json_schema",
    "output_config",
    "structured output",
    "grammar",
)  # no text: parts of refusals
UNKNOWN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class _ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _ChatMessage = _ChatMessage()
    finish_reason: str | None = None


class _TokenDetails(BaseModel):
    cached_tokens: int | None = None


class _ChatUsage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _TokenDetails | None = None
    cost: float | None = None  # US dollars, of OpenRouter


class _Completion(BaseModel):
    choices: list[_Choice] = []
    usage: _ChatUsage | None = None


class _ListedModel(BaseModel):
    id: str


class _ModelList(BaseModel):
    data: list[_ListedModel] | None = None  # Ollama without a model says null


class OpenAIChatEngine:
    """One model at one server; pictures may be for another of its models."""

    def __init__(self, endpoint: Endpoint, key: str, *, model: str, vision_model: str = "") -> None:
        self.model, self.vision_model = model, vision_model or model
        self._client = make_client(endpoint, auth=BearerAuth(key) if key else None)
        host = urlsplit(endpoint.url).hostname
        self._limit = "max_completion_tokens" if host == OPENAI_HOST else "max_tokens"
        self._takes_schema = True

    async def ask(self, question: TextQuestion[Form], count: Count) -> Form:
        model = self.vision_model if question.picture else self.model
        calls = Calls(model, self._client, refusal=refused, limit=MAX_ANSWER_BYTES)
        with for_words():
            reply = await self._call(calls, model, question)
            if not reply.is_success or reply.is_page:
                raise calls.refused(reply)
            completion = await calls.as_kind(_Completion, reply.body)
            if completion.usage is not None:
                count(_counted(completion.usage))
            choice = completion.choices[0] if completion.choices else _Choice()
            if choice.message.refusal or choice.finish_reason == "content_filter":
                raise blocked(model, choice.message.refusal or "")
            if choice.finish_reason == "length":
                raise unfinished(model)
            return read_form(model, question.form, choice.message.content or "")

    async def models(self) -> tuple[str, ...]:
        calls = Calls(self.model, self._client, refusal=refused, limit=MAX_ANSWER_BYTES)
        with for_words():
            listed = await calls.as_kind(_ModelList, await calls.fetch("GET", "/models"))
            return tuple(entry.id for entry in listed.data or ())

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(self, calls: Calls, model: str, question: TextQuestion[Any]) -> Reply:
        """Ask; at a server that knows less than others, once more for each thing that it does not know."""
        while True:
            reply = await calls.call("POST", "/chat/completions", json=self._to_payload(question, model))
            if reply.status not in UNKNOWN or not self._learns(reply):
                return reply

    def _learns(self, reply: Reply) -> bool:
        """Return whether a refusal names something that can be left out; from now on it is."""
        refusal = refusal_in(reply)
        words = f"{refusal.param} {refusal.message}".casefold()
        if self._limit == "max_tokens" and "max_completion_tokens" in words:
            self._limit = "max_completion_tokens"
            return True
        if self._takes_schema and any(name in words for name in NO_SCHEMA):
            self._takes_schema = False
            return True
        return False

    def _to_payload(self, question: TextQuestion[Any], model: str) -> Json:
        task = question.task if self._takes_schema else f"{question.task}\n{in_words(question.form)}"
        content: str | list[Json] = question.words
        if picture := question.picture:
            data = f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
            content = [{"type": "text", "text": question.words}, {"type": "image_url", "image_url": {"url": data}}]
        schema = {"name": "answer", "schema": schema_of(question.form), "strict": True}
        form: Json = {"response_format": {"type": "json_schema", "json_schema": schema}} if self._takes_schema else {}
        return {
            "model": model,
            "messages": [{"role": "system", "content": task}, {"role": "user", "content": content}],
            "stream": False,
            self._limit: question.most_tokens,
        } | form


def _counted(usage: _ChatUsage) -> TokensUsed:
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens or 0) if details else 0
    return TokensUsed(
        tokens_in=usage.prompt_tokens, tokens_cached=cached, tokens_out=usage.completion_tokens, usd=usage.cost
    )
