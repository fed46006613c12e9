"""Stand-ins for servers of language models, on real sockets, strict about what their documents do not allow.

`AnthropicServer` behaves as the types of the anthropic SDK 2.14 say, `ChatServer` as OpenAI's chat and, with a
`manner`, as the local servers that speak it. `server.answers` are the next answers: a dict is sent as JSON, a text as
it stands.
"""

import base64
import json
from typing import Any

from aiohttp import web

from tests.engines.listener import Listener

KEY = "sk-ant-test-0123456789"
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5")
ENHANCED = {
    "prompt": "a red fox in deep snow, low winter sun, long blue shadows",
    "alternatives": ["a fox asleep under a pine, watercolour", "a fox at night, neon city, rain"],
    "tags": ["fox", "snow", "winter"],
}


class TextServer(Listener):
    """The common part: the next answers, and what was asked."""

    def __init__(self, *, key: str = KEY, models: tuple[str, ...] = MODELS) -> None:
        super().__init__()
        self.key, self.models = key, models
        self.answers: list[dict[str, Any] | str] = []
        self.asked: list[dict[str, Any]] = []
        self.usual: dict[str, Any] | str = ENHANCED
        self.stop = ""  # instead of the usual reason to stop

    def next_text(self) -> str:
        answer = self.answers.pop(0) if self.answers else self.usual
        return answer if isinstance(answer, str) else json.dumps(answer)

    def refuse(self, request: web.Request) -> web.Response | None:
        if not self.key or request.headers.get("Authorization", "") == f"Bearer {self.key}":
            return None
        return self.error(401, "authentication_error", "invalid x-api-key")

    def error(self, status: int, kind: str, message: str, **more: Any) -> web.Response:
        raise NotImplementedError


class AnthropicServer(TextServer):
    """POST /v1/messages with version 2026-10-21."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/messages", self._message), web.get("/v1/models", self._list)]

    def error(self, status: int, kind: str, message: str, **more: Any) -> web.Response:
        error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CExample"}
        return web.json_response(error, status=status)

    async def _list(self, request: web.Request) -> web.Response:
        if request.headers.get("anthropic-version") != "2026-10-21":
            return self.error(400, "invalid_request_error", "anthropic-version: header is required")
        data = [{"type": "model", "id": name, "display_name": name} for name in self.models]
        return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})

    async def _message(self, request: web.Request) -> web.Response:
        body = await request.json()
        if wrong := self._wrong(request, body):
            return self.error(400, "invalid_request_error", wrong)
        if body["model"] not in self.models:
            return self.error(404, "not_found_error", f"model: {body['model']}")
        self.asked.append(body)
        stop = self.stop or "end_turn"
        answer: dict[str, Any] = {
            "id": "msg_01Example", "type": "message", "role": "assistant", "model": f"{body['model']}-20261007",
            "content": [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": ""}],
            "stop_reason": stop, "stop_sequence": None,
            "usage": {"input_tokens": 1_000_000, "output_tokens": 200_000, "cache_read_input_tokens": 0},
        }  # fmt: skip
        if stop == "refusal":
            explanation = "This could show a real person in a way that harms them."
            answer |= {"content": [], "stop_details": {"type": "refusal", "category": "general_harms",
                                                       "explanation": explanation}}  # fmt: skip
        else:
            answer["content"][1]["text"] = self.next_text()
        return web.json_response(answer)

    def _wrong(self, request: web.Request, body: dict[str, Any]) -> str:
        if request.headers.get("anthropic-version") != "2026-10-21":
            return "anthropic-version: header is required"
        known = {"model", "max_tokens", "system", "messages", "stop_sequences", "output_config", "metadata"}
        if strange := sorted(set(body) - known):  # temperature, top_p and top_k among them
            return f"{strange[0]}: Extra inputs are not permitted"
        if not isinstance(body.get("max_tokens"), int):
            return "max_tokens: Field required"
        if not body.get("messages") or body["messages"][-1]["role"] != "user":
            return "messages: the last message must be the user's"
        if problem := schema_problem(body.get("output_config", {}).get("format", {}).get("schema")):
            return f"output_config.format.schema: {problem}"
        content = body["messages"][-1]["content"]
        kinds = [block["type"] for block in content]
        if kinds not in (["text"], ["image", "text"]):
            return "messages: the picture stands before the words"
        source = content[0].get("source", {"media_type": "image/jpeg", "data": ""})
        if source["media_type"] not in {"image/jpeg", "image/png", "image/gif", "image/webp"}:
            return "messages: media_type"
        base64.b64decode(source["data"], validate=True)
        return ""


class ChatServer(TextServer):
    """POST /v1/chat/completions. `manner`: openai, ollama (no key), plain (knows no schema), blind (no pictures)."""

    def __init__(self, manner: str = "openai", *, key: str = KEY, models: tuple[str, ...] = ("gemma4:e4b",)) -> None:
        super().__init__(key=key if manner == "openai" else "", models=models)
        self.manner = manner

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self._chat), web.get("/v1/models", self._list)]

    def error(self, status: int, kind: str, message: str, **more: Any) -> web.Response:
        error = {"message": message, "type": kind, "param": None, "code": None} | more
        return web.json_response({"error": error}, status=status)

    async def _list(self, _: web.Request) -> web.Response:
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "library"} for name in self.models]
        return web.json_response({"object": "list", "data": data or None})

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("model") not in self.models:
            text = f'model "{body.get("model")}" not found, try pulling it first'
            return self.error(404, "api_error", text)
        if refused := self._refused(body):
            return refused
        self.asked.append(body)
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        stop = self.stop or "stop"
        if stop == "refusal":
            message["refusal"], stop = "I can't help with pictures of that person.", "stop"
        elif stop == "stop":
            message["content"] = self.next_text()
        usage = {"prompt_tokens": 120, "completion_tokens": 80, "total_tokens": 200}
        choice = {"index": 0, "message": message, "finish_reason": stop, "logprobs": None}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
        return web.json_response(answer | {"choices": [choice], "usage": usage})

    def _refused(self, body: dict[str, Any]) -> web.Response | None:
        known = {"model", "messages", "stream", "response_format", "max_completion_tokens", "max_tokens"}
        if strange := sorted(set(body) - known):
            return self.error(400, "invalid_request_error", f"Unknown parameter: '{strange[0]}'.", param=strange[0])
        if self.manner == "openai" and "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            return self.error(400, "invalid_request_error", text, param="max_tokens", code="unsupported_parameter")
        if self.manner == "plain" and "response_format" in body:
            return self.error(400, "invalid_request_error", "'response_format.type' must be 'text'")
        form = body.get("response_format", {})
        if form and (problem := schema_problem(form["json_schema"]["schema"])):
            return self.error(400, "invalid_request_error", f"Invalid schema: {problem}", param="response_format")
        content = body["messages"][-1]["content"]
        if self.manner == "blind" and not isinstance(content, str):
            return self.error(400, "invalid_request_error", "this model does not support images")
        pictures = [part["image_url"]["url"] for part in content if isinstance(part, dict) and "image_url" in part]
        if any(not url.startswith("data:image/") for url in pictures):
            return self.error(400, "invalid_request_error", "pictures must be data")
        return None


def schema_problem(schema: Any) -> str:
    """Return what both makers refuse in a schema."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "an object is needed"
    if schema.get("additionalProperties") is not False:
        return "additionalProperties must be false"
    if sorted(schema.get("required", ())) != sorted(schema["properties"]):
        return "all properties must be required"
    keys = {key for part in schema["properties"].values() for key in part}
    return "" if keys <= {"type", "items", "description"} else f"unsupported: {sorted(keys)}"
