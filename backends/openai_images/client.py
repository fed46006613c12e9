"""The calls of the images API: the list of models, one request for pictures, and the same as a stream.

Source: OpenAI's openapi of 2026-08. In a stream only the completed event counts: it may come before all previews.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httpx
from pydantic import ValidationError

from backends.openai_images.answers import Drawn, DrawnPicture, Endpoints, ModelList, StreamEvent
from backends.openai_images.errors import of_refusal, refusal_of, translate_failure
from backends.openai_images.payload import ImageOrder
from generation.errors import BackendError, BackendUnavailable, GenerationError, UnexpectedAnswer
from net.answers import read_model
from net.calls import Calls
from net.client import CONNECT_TIMEOUT_S
from net.reasons import with_reason
from texts.text import _
from utils.threads import read_apart, run_in_thread

MAX_LIST_BYTES: Final = 8 * 1024 * 1024
MAX_PICTURE_BYTES: Final = 48 * 1024 * 1024  # of an answer, for each picture in it
MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
LIST_TIMEOUT_S: Final = 8.0
COMPLETED: Final = ("image_generation.completed", "image_edit.completed")
PARTIAL: Final = ("image_generation.partial_image", "image_edit.partial_image")

Preview = Callable[[str, int], Awaitable[None]]  # given base64, and how many came before


class Client:
    """Calls to one server."""

    def __init__(self, label: str, client: httpx.AsyncClient, timeout_s: float) -> None:
        self._label = label
        self._calls = Calls(label, client, refusal=translate_failure, limit=MAX_LIST_BYTES)
        self._timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)

    async def models(self, path: str) -> ModelList:
        """Return the list of models; an address of something else is called so."""
        reply = await self._calls.call("GET", path, timeout=LIST_TIMEOUT_S, may_have_run=False)
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} or (
            reply.is_success and reply.is_page
        ):
            raise UnexpectedAnswer(
                _("{label} answers, but it does not speak OpenAI’s images API.", label=self._label),
                hint=_("Check the address, or connect it as what it is."),
            )
        if not reply.is_success:
            raise self._calls.refused(reply)
        return await self._calls.as_kind(ModelList, reply.body, may_have_run=False)

    async def endpoints(self, path: str) -> Endpoints:
        """Return where OpenRouter has a model drawn, and for how much."""
        reply = await self._calls.call("GET", path, timeout=LIST_TIMEOUT_S, may_have_run=False)
        if not reply.is_success:
            raise self._calls.refused(reply)
        return await self._calls.as_kind(Endpoints, reply.body, may_have_run=False)

    async def draw(self, order: ImageOrder, preview: Preview) -> Drawn:
        """Send one request and return its pictures.

        Raises:
            GenerationError: see `errors`; `may_have_run` where the answer was lost.
        """
        sent = await run_in_thread(order.sent)
        if order.values.get("stream"):
            return await self._streamed(order.path, sent, preview)
        limit = MAX_PICTURE_BYTES * int(order.values["n"])
        body = await self._calls.fetch("POST", order.path, limit=limit, timeout=self._timeout, **sent)
        return await self._drawn(body)

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _drawn(self, body: bytes) -> Drawn:
        drawn = await self._calls.as_kind(Drawn, body, may_have_run=True)
        if not any(item.given for item in drawn.data):
            raise UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
        return drawn

    async def _streamed(self, path: str, sent: dict[str, Any], preview: Preview) -> Drawn:
        async with self._calls.open("POST", path, timeout=self._timeout, **sent) as response:
            if response.status_code != HTTPStatus.OK or "event-stream" not in response.headers.get("content-type", ""):
                reply = await self._calls.whole(response, MAX_PICTURE_BYTES)
                if not reply.is_success or reply.is_page:
                    raise self._calls.refused(reply)
                return await self._drawn(reply.body)  # it draws without a stream
            async for event in self._events(response):
                if event.type in COMPLETED and event.b64_json:
                    return Drawn(data=[DrawnPicture(b64_json=event.b64_json)], usage=event.usage)
                if event.type in PARTIAL and event.b64_json:
                    await preview(event.b64_json, event.partial_image_index or 0)
                if event.type == "error" or event.error:
                    raise self._failed(event)
        raise BackendUnavailable(
            _("{label} lost the connection.", label=self._label),
            detail="the stream ended early",
            hint=_("Try again in a moment."),
            may_have_run=True,
        )

    async def _events(self, response: httpx.Response) -> AsyncIterator[StreamEvent]:
        """Read the stream line by line; one without an end is cut off at the limit."""
        line = bytearray()
        async for chunk in response.aiter_bytes():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                line += end
                if line.startswith(b"data:") and line.strip() != b"data: [DONE]":
                    yield await self._event(bytes(line[5:]))
                line.clear()
            line += rest
            if len(line) > MAX_EVENT_BYTES:
                raise UnexpectedAnswer(
                    _("{label} answers with more than any picture needs.", label=self._label), may_have_run=True
                )

    async def _event(self, body: bytes) -> StreamEvent:
        try:
            return await read_apart(partial(read_model, StreamEvent), body)
        except ValidationError as error:
            raise UnexpectedAnswer(
                _("{label} gave an answer that cannot be read.", label=self._label),
                detail=str(error.errors(include_input=False, include_url=False)[:3]),
                may_have_run=True,
            ) from error

    def _failed(self, event: StreamEvent) -> GenerationError:
        error = event.error.model_dump() if event.error else {"message": event.message, "code": event.code}
        refusal = refusal_of(error)
        detail = f"{refusal.code}: {refusal.message}"
        return of_refusal(self._label, refusal, detail) or BackendError(
            with_reason(_("{label} failed inside.", label=self._label), refusal.message),
            detail=detail,
            hint=_("Try again in a moment."),
            may_have_run=True,
        )
