"""Flux apps of Pinokio and their like: a gradio server's own queue, over `queue/join` and its event stream.

Source: recorded answers of gradio 4.44, 5.50 and 6.31 (`tests/data/gradio_flux`). An event cannot be joined again once
its stream is closed, so nothing is resumed after a restart of Easel. Nor can it be stopped: gradio's `/cancel` ends
the stream and frees the slot while the GPU draws on, and the next picture would start beside it. So one event of ours
runs at a time, and one that nobody wants any more is listened to until its end before the next is sent.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from backends.base import BackendConfig, ProgressCallback
from backends.gradio_flux.answers import Message, Outcome, check_picture, read_outcome, read_progress
from backends.gradio_flux.client import SILENCE_S, GradioServer
from backends.gradio_flux.facts import App, AppEndpoint
from backends.gradio_flux.kind import DEFAULT_URL, NAME
from backends.gradio_flux.payload import app_seed, changes, to_capabilities, to_data
from generation.capabilities import Capabilities
from generation.errors import BackendUnavailable, CapabilityError, RequestRejected, UnexpectedAnswer
from generation.job import Progress
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult
from net.client import key_auth, make_client
from net.guard import guarded_transport
from texts.text import _
from utils.threads import run_in_thread

log = logging.getLogger(__name__)


class _Listener:
    """Turns the messages of one picture into the progress of the whole request; deaf once nobody listens."""

    def __init__(self, report: ProgressCallback, steps: int, number: int, count: int) -> None:
        self._report: ProgressCallback | None = report
        self._steps, self._number, self._count = steps, number, count
        self._fraction = 0.0

    async def hear(self, message: Message) -> None:
        progress = read_progress(message, self._steps)
        if progress is not None:
            await self.say(progress)

    async def say(self, progress: Progress) -> None:
        is_late = self._fraction > 0 if progress.note else progress.fraction < self._fraction
        if self._report is None or is_late:
            return
        self._fraction = max(self._fraction, progress.fraction)
        await self._report(replace(progress, fraction=(self._number + self._fraction) / self._count))

    def stop(self) -> None:
        self._report = None


class GradioFluxBackend:
    """One gradio app that draws.

    Options: `api_name` (which of its functions, if not the one found), `max_side`, `max_batch`.
    `key` is `user:password` of an app started with `auth`, or a token for a proxy in front.
    """

    kind = NAME
    is_paid = False

    def __init__(
        self, config: BackendConfig, *, transport: httpx.AsyncBaseTransport | None = None, silence_s: float = SILENCE_S
    ) -> None:
        config = replace(config, url=config.url.strip() or DEFAULT_URL)
        self.name = config.name
        self._label = config.label or config.name
        self._options: Mapping[str, str] = config.options
        # A transport of our own also keeps the environment's proxies away from this machine's ports.
        auth = key_auth(config.key) if ":" not in config.key else None
        self._client = make_client(config.endpoint, transport=transport or guarded_transport(config.policy), auth=auth)
        self._server = GradioServer(self._label, self._client, config.key, silence_s)
        self._app: App | None = None
        self._warm_model: str | None = None
        self._turn = asyncio.Lock()
        self._events: set[asyncio.Task[Outcome]] = set()

    async def capabilities(self) -> Capabilities:
        """Read the app's page again: Pinokio may have updated it."""
        self._app = await self._server.discover(self._options.get("api_name", "").strip())
        return to_capabilities(self._app, self._options, self._warm_model)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Draw the pictures of one request, one event after the other, each with the next seed.

        Cancelled, it lets go at once; the app ends the present picture by itself and gets no further one before.

        Raises:
            BackendUnavailable: no answer, no word for too long, or a failure without a text.
            OutOfMemory, RequestRejected, BackendError: what the app says of the request.
            RateLimited: its own queue is full.
            UnexpectedAnswer: no picture in the answer, or a broken one.
        """
        app = self._app or await self._discovered()
        endpoint = app.endpoints.get(request.mode)
        if endpoint is None:
            raise CapabilityError(_("{label} cannot do {mode}.", label=self._label, mode=request.mode))
        try:
            return await self._draw(request, app, endpoint, report)
        except (BackendUnavailable, UnexpectedAnswer):
            self._app = None  # it may come back as another version of itself
            raise

    async def aclose(self) -> None:
        """Stop listening; what runs there ends by itself, unseen."""
        for event in tuple(self._events):
            event.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)
        await self._client.aclose()

    async def _discovered(self) -> App:
        await self.capabilities()
        assert self._app is not None
        return self._app

    async def _draw(
        self, request: GenerationRequest, app: App, endpoint: AppEndpoint, report: ProgressCallback
    ) -> GenerationResult:
        picture = await self._upload(request, app)
        images = []
        for number in range(request.batch_size):
            seed = app_seed(endpoint, request.seed + number)
            listener = _Listener(report, request.steps, number, request.batch_size)
            outcome = await self._run(app, endpoint, to_data(request, endpoint, seed, picture), listener)
            drawn = read_outcome(self._label, outcome, endpoint)
            data = await self._server.fetch(app, drawn.path)
            await run_in_thread(check_picture, self._label, data)
            images.append(GeneratedImage(data=data, seed=seed if drawn.seed is None else drawn.seed))
        field = endpoint.field("model")
        model = request.model or (str(field.value) if field and field.value is not None else None)
        self._warm_model = model
        return GenerationResult(images=tuple(images), model=model, notes=changes(request, endpoint))

    async def _upload(self, request: GenerationRequest, app: App) -> dict[str, Any] | None:
        if request.mode is Mode.TXT2IMG:
            return None
        if request.init_image is None:
            raise RequestRejected(_("Img2img needs a picture to start from."), field="init_image")
        return await self._server.upload(app, request.init_image.data)

    async def _run(self, app: App, endpoint: AppEndpoint, data: list[Any], listener: _Listener) -> Outcome:
        """Run one event in a task of its own, which holds our turn until the app is through with it."""
        if self._turn.locked():
            await listener.say(Progress(note=_("waiting until the app has ended the picture before")))
        await self._turn.acquire()
        event = asyncio.create_task(self._server.run(app, endpoint, data, listener.hear))
        self._events.add(event)
        event.add_done_callback(self._ended)
        try:
            return await asyncio.shield(event)
        except asyncio.CancelledError:
            listener.stop()
            if not event.done():
                log.info("the app ends a cancelled picture", extra={"action": "job_cancelled", "backend": self.name})
            raise

    def _ended(self, event: asyncio.Task[Outcome]) -> None:
        self._events.discard(event)
        self._turn.release()
        if not event.cancelled():
            event.exception()  # one that nobody listens to any more fails unheard
