"""The conversation with a gradio server: login, discovery, one event from its start to its end, files.

Source: gradio's own routes (`queue/join`, `queue/data`, `upload`, `file=`), the same in 4.44, 5.50 and 6.31 but for
the prefix. Everything is read with a limit: an app is somebody else's program.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from backends.gradio_flux.answers import Message, Outcome
from backends.gradio_flux.errors import file_refused, join_refused, login_refused, undrawn
from backends.gradio_flux.facts import App, AppEndpoint, Config, Info, read_app
from backends.probe import identify
from constants import MAX_IMAGE_BYTES
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    UnexpectedAnswer,
)
from net.answers import read_model
from net.calls import Calls, read_as
from net.client import CONNECT_TIMEOUT_S
from net.reply import AnswerTooLarge
from texts.text import _
from utils.threads import read_apart, run_in_thread

log = logging.getLogger(__name__)

MAX_CONFIG_BYTES: Final = 8 * 1024 * 1024
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024  # outputs beside the pictures may be long; the pictures are only named
GET_TIMEOUT_S: Final = 8.0
FILE_TIMEOUT_S: Final = 60.0
SILENCE_S: Final = 45.0  # three of the server's heartbeats

START_HINT: Final = _("Start the app in Pinokio. It may have taken the next free port: the app shows its address.")


class _Joined(BaseModel):
    event_id: str


Hear = Callable[[Message], Awaitable[None]]


class _LoggedIn(Calls):
    """Calls that log in where the server asks for that, or has forgotten it. `key` is `user:password`."""

    def __init__(self, label: str, client: httpx.AsyncClient, key: str) -> None:
        super().__init__(label, client, limit=MAX_ANSWER_BYTES)
        self._key = key

    @asynccontextmanager
    async def open(
        self, method: str, path: str, *, may_have_run: bool | None = None, **sent: Any
    ) -> AsyncIterator[httpx.Response]:
        async with AsyncExitStack() as stack:
            opened = super().open(method, path, may_have_run=may_have_run, **sent)
            response = await stack.enter_async_context(opened)
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                await response.aclose()
                await self._login()
                opened = super().open(method, path, may_have_run=may_have_run, **sent)
                response = await stack.enter_async_context(opened)
            yield response

    async def _login(self) -> None:
        user, colon, password = self._key.partition(":")
        if not colon:
            raise BackendAuthError(
                _("{label} wants a user name and a password.", label=self.label),
                hint=_("Its owner gives them as user:password."),
            )
        form = {"username": user, "password": password}
        async with super().open("POST", "/login", data=form, timeout=GET_TIMEOUT_S) as response:
            reply = await self.whole(response)
        if reply.status != HTTPStatus.OK:
            raise login_refused(self.label, reply)


class GradioServer:
    """One gradio server, logged in where it asks for that. `key` is `user:password`."""

    def __init__(self, label: str, client: httpx.AsyncClient, key: str, silence_s: float = SILENCE_S) -> None:
        self._label = label
        self._calls = _LoggedIn(label, client, key)
        self._silence = httpx.Timeout(silence_s, connect=CONNECT_TIMEOUT_S)

    async def discover(self, wanted: str) -> App:
        """Read the app's page and find the functions that draw.

        Raises:
            BackendError: nothing answers, it refuses us, it is another product, or none of its functions draws.
        """
        body = await self._get("/config", MAX_CONFIG_BYTES)
        try:
            config = await read_apart(partial(read_model, Config), body)
        except ValidationError:
            raise await self._wrong_product("") from None
        if config.is_a1111 or not config.is_driveable:
            raise await self._wrong_product(_("gradio {version}, which is too old", version=config.version))
        info = await self._info(config.prefix)
        app = await run_in_thread(read_app, config, info, wanted)
        if app.endpoints:
            return app
        if wanted:
            raise BackendError(
                _(
                    "{label} has no function “{wanted}” that draws a picture from a prompt.",
                    label=self._label,
                    wanted=wanted,
                ),
                hint=_("Leave the api_name setting empty, or take a name from the app's API page."),
            )
        raise await self._wrong_product(_("an app that draws no pictures from a prompt"))

    async def run(self, app: App, endpoint: AppEndpoint, data: list[Any], hear: Hear) -> Outcome:
        """Send one event and follow it to its end; there is no way to leave it and come back.

        Raises:
            RateLimited: the app's own queue is full.
            BackendError: the server went away, fell silent, or says what we cannot read.
        """
        session = secrets.token_hex(8)  # a new one per event: a stream of a shared one carries other people's events
        event = {"data": data, "fn_index": endpoint.fn_index, "session_hash": session, "event_data": None,
                 "trigger_id": None}  # fmt: skip
        unanswered = await self._join(app, event)
        path = f"{app.prefix}/queue/data"
        async with self._calls.open("GET", path, params={"session_hash": session}, timeout=self._silence) as response:
            if response.status_code != HTTPStatus.OK:
                raise self._calls.refused(await self._calls.whole(response))
            async for message in _messages(response):
                if message.msg == "process_completed":
                    output = message.output if isinstance(message.output, dict) else {}
                    return Outcome(success=bool(message.success), output=output)
                if message.msg in {"unexpected_error", "close_stream"}:
                    raise unanswered or self._lost(message.message or message.msg)
                await hear(message)
        raise self._lost(_("the stream ended early"))

    async def _join(self, app: App, event: dict[str, Any]) -> BackendUnavailable | None:
        """Put one event in the app's queue.

        An answer that is lost on the way is returned, for it is no failure yet: the stream of our session knows
        whether the event was taken.
        """
        try:
            reply = await self._calls.call("POST", f"{app.prefix}/queue/join", json=event, timeout=self._silence)
        except BackendGone:
            raise
        except BackendUnavailable as error:
            log.info("answer lost, listening all the same", extra={"action": "answer_lost"})
            return error
        if reply.status != HTTPStatus.OK:
            raise join_refused(self._label, reply)
        read_as(self._label, _Joined, reply.body)
        return None

    async def fetch(self, app: App, path: str) -> bytes:
        """Return a file that the app made; by its path, since the app's own URL may be another machine's view."""
        try:
            return await self._fetch(app, path)
        except BackendUnavailable:  # it is drawn: a file lost on the way is asked for again, not drawn again
            return await self._fetch(app, path)

    async def _fetch(self, app: App, path: str) -> bytes:
        place = f"{app.prefix}/file={quote(path, safe='/:')}"
        reply = await self._calls.call("GET", place, limit=MAX_IMAGE_BYTES, timeout=FILE_TIMEOUT_S, may_have_run=True)
        if reply.status != HTTPStatus.OK:
            raise file_refused(self._label, reply)
        return reply.body

    async def upload(self, app: App, data: bytes) -> dict[str, Any]:
        """Hand a picture over and return what to name it by in an event."""
        files = {"files": ("init.png", data)}
        place = f"{app.prefix}/upload"
        reply = await self._calls.call("POST", place, files=files, timeout=FILE_TIMEOUT_S, may_have_run=False)
        if reply.status != HTTPStatus.OK:
            raise undrawn(self._label, reply)
        paths = read_as(self._label, TypeAdapter(list[str]), reply.body, may_have_run=False)
        if not paths:
            raise UnexpectedAnswer(_("{label} did not take the picture.", label=self._label))
        return {"path": paths[0], "orig_name": "init.png", "meta": {"_type": "gradio.FileData"}}

    async def _get(self, path: str, limit: int) -> bytes:
        try:
            reply = await self._calls.call("GET", path, limit=limit, timeout=GET_TIMEOUT_S, may_have_run=False)
        except BackendGone as error:
            error.hint = START_HINT
            raise
        if reply.status == HTTPStatus.OK:
            return reply.body
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            raise await self._wrong_product("")
        raise undrawn(self._label, reply)

    async def _info(self, prefix: str) -> Info:
        """The names of the parameters are an aid only; some gradio versions fail to give them."""
        try:
            return await read_apart(partial(read_model, Info), await self._get(f"{prefix}/info", MAX_CONFIG_BYTES))
        except (BackendError, ValidationError):
            return Info()

    async def _wrong_product(self, otherwise: str) -> GenerationError:
        """Return the error that names what answers here instead."""
        product = await identify(self._calls.client, str(self._calls.client.base_url).rstrip("/"))
        if product is not None and product.kind != "gradio_flux" and not product.name.startswith("gradio app"):
            return BackendError(
                _("{label} answers, but it is {title}, not a Flux app.", label=self._label, title=product.title),
                hint=_("Connect it as the kind of engine it is. Flux apps of Pinokio use the same port."),
            )
        what = _("it is {otherwise}", otherwise=otherwise) if otherwise else _("it is not a gradio app")
        return UnexpectedAnswer(
            _("{label} answers, but {what}.", label=self._label, what=what), hint=_("Check the address and the port.")
        )

    def _lost(self, detail: str) -> BackendUnavailable:
        return BackendUnavailable(
            _("{label} lost track of the picture.", label=self._label),
            detail=detail,
            hint=_("Try again in a moment."),
            may_have_run=True,
        )


async def _messages(response: httpx.Response) -> AsyncIterator[Message]:
    """Read the stream line by line; a line without an end is cut off at the limit."""
    line = bytearray()
    async for chunk in response.aiter_bytes():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line += end
            if line.startswith(b"data:"):
                yield await read_apart(partial(read_model, Message), bytes(line[5:]))
            line.clear()
        line += rest
        if len(line) > MAX_MESSAGE_BYTES:
            raise AnswerTooLarge(_("a message of more than {most} bytes", most=MAX_MESSAGE_BYTES))
