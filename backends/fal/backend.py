"""fal.ai: a request waits in a queue and is asked for by its address until the picture is there.

Source: fal.ai/docs. The address is the job's id, so that one that was begun is fetched after a restart; one whose
answer was lost is never sent again by itself. Who asks for prices proves the key, and has them before the click.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from backends.base import BackendConfig, ProgressCallback, RemoteState, follow
from backends.drawing_errors import drawing_error
from backends.fal.answers import COMPLETED, RUNNING, FalBegun, FalResult, FalStatus
from backends.fal.errors import held_back, translate_failure
from backends.fal.kind import (
    KEY_HEADER,
    KEY_PREFIX,
    KIND,
    MODELS,
    NAME,
    PRICING_PATH,
    PUBLIC_URL,
    QUEUE_URL,
    FalPrice,
    FalPrices,
)
from backends.fal.payload import MAX_PICTURES, MAX_SEED, endpoint_of, megapixels, model_of, to_body
from backends.polling import PolledState, Poller, PollPace, ended_with, fetched
from backends.stored_pictures import picture_client
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import (
    BackendError,
    BackendUnavailable,
    ContentBlocked,
    GenerationError,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult
from net.answers import write_json
from net.calls import JSON, Calls
from net.client import CONNECT_TIMEOUT_S, make_client
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

PRICES_FROM: Final = "api.fal.ai/v1/models/pricing"
TIMEOUT: Final = httpx.Timeout(30.0, connect=CONNECT_TIMEOUT_S)
MEGAPIXEL: Final = "megapixel"  # in their names of what is counted
PICTURE: Final = "image"
ENDED: Final = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
ONCE: Final[Mapping[str, str]] = {"X-Fal-No-Retry": "1"}  # what fails there is told, and tried again by people alone


class FalBackend:
    """One account. Options: `model`, `output_format`."""

    kind = NAME
    is_paid = True

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: PollPace | None = None,
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        root = (config.url or PUBLIC_URL).strip().rstrip("/")
        for end in KIND.cut:
            root = root.removesuffix(end)
        config = replace(config, url=root)
        self._queue = QUEUE_URL if root == PUBLIC_URL else root
        client = make_client(config.endpoint, transport=transport)
        if config.key:
            client.headers[KEY_HEADER] = f"{KEY_PREFIX}{config.key}"
        self._calls = Calls(self._label, client, refusal=translate_failure, timeout=TIMEOUT)
        self._pictures = picture_client(config, transport=transport)
        self._poller = Poller(look=self._look, stop=self._stop, clock=self._clock, pace=pace)
        self._known: dict[str, FalPrice] = {}  # as the last probe found them
        self._known_at = self._clock.now()

    async def capabilities(self) -> Capabilities:
        """Ask for prices, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        found = await self._calls.read(FalPrices, PRICING_PATH, may_have_run=False)
        self._known = {price.endpoint_id: price for price in found.prices if price.currency == "USD"}
        self._known_at = self._clock.now()
        return Capabilities(
            modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG}),
            models=tuple(ModelInfo(name=name, title=name, is_loaded=True) for name in MODELS),
            size_grid=16,
            min_side=512,
            max_side=2048,
            max_batch=10,
            max_images=MAX_PICTURES,
            max_seed=MAX_SEED,
            supports_steps=False,
            supports_cfg_scale=False,
            supports_negative_prompt=False,
            supports_progress=True,
            supports_cancel=True,
            default_width=1024,
            default_height=1024,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn; what a caller leaves before it has begun is taken back."""
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest) -> str:
        """Begin a request for each picture; what is begun is kept where a later one fails.

        Raises:
            RequestRejected: the model does not take that.
            RateLimited: too many at once.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, or no answer.
        """
        path = f"{self._queue}/{endpoint_of(request, self._options)}"
        notes, ids = list[str](), list[str]()
        try:
            for place in range(request.batch_size):
                part = replace(request, batch_size=1, seed=_seed(request, place))
                body = await run_in_thread(to_body, part, self._options, notes.append if not place else _unsaid)
                ids.append(await self._begin(path, await run_in_thread(write_json, body)))
        except GenerationError as error:
            if not ids:
                raise
            notes.append(error.user_message)
        return self._poller.follow(ids, notes)

    async def poll(self, remote_id: str) -> RemoteState:
        return await self._poller.poll(remote_id)

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures of requests that have ended, and what they cost by the list.

        Raises:
            ContentBlocked: the filter refused each of them, with its reason.
            BackendError: they failed.
            BackendUnavailable, UnexpectedAnswer: the pictures could not be fetched.
        """
        ends, notes = self._poller.ended(remote_id)
        brought = await fetched(self._label, ends, request.width * request.height, lambda url: self._pictures)
        each = self._price(request) or 0.0
        images = (GeneratedImage(data=data, seed=_seed(request, place)) for place, _end, data in brought)
        return GenerationResult(
            images=tuple(images),
            model=model_of(request, self._options),
            cost_usd=each * sum(bool(end.files) for end in ends),
            notes=tuple(notes),
            is_complete=len(brought) >= request.batch_size,
        )

    async def cancel(self, remote_id: str) -> None:
        """Take back what waits there; what has begun may be drawn and charged."""
        await self._poller.cancel(remote_id)

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars, by their own list where that was read."""
        usd = self._price(request)
        return None if usd is None else usd * request.batch_size

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(
            PriceLine(
                name=price.endpoint_id,
                variant="",
                usd=price.unit_price,
                unit=price.unit,
                as_of=f"{self._known_at:%Y-%m-%d}",
                source=PRICES_FROM,
            )
            for price in self._known.values()
        )

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._calls.aclose()

    async def _begin(self, path: str, content: bytes) -> str:
        body = await self._calls.fetch("POST", path, content=content, headers={**JSON, **ONCE}, timeout=TIMEOUT)
        begun = await self._calls.as_kind(FalBegun, body, may_have_run=True)
        app = "/".join(urlsplit(path).path.split("/")[1:3])
        usual = f"{self._queue}/{app}/requests/{begun.request_id}"
        return begun.response_url if self._is_theirs(begun.response_url) else usual

    def _is_theirs(self, url: str) -> bool:
        """Return whether our key may go to an address: to the queue that was asked, and nowhere else."""
        try:
            asked, own = urlsplit(url), urlsplit(self._queue)
        except ValueError:
            return False
        return (asked.scheme, asked.netloc) == (own.scheme, own.netloc) and " " not in url

    async def _look(self, url: str) -> PolledState:
        status = await self._calls.read(FalStatus, f"{url}/status")
        if status.status != COMPLETED:
            note = _("being drawn") if status.status == RUNNING else _("waiting for a machine")
            return PolledState(fraction=0.5 if status.status == RUNNING else 0.0, note=note)
        try:
            result = await self._calls.read(FalResult, url)
        except (RequestRejected, ContentBlocked) as error:
            return ended_with(error)
        except BackendUnavailable:
            if not status.error:  # it may only be slow
                raise
            return ended_with(_failed(self._label, status.error))
        if result.is_held_back:
            return ended_with(held_back(self._label))
        if not result.images:
            return ended_with(
                UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
            )
        return PolledState(is_finished=True, files=(result.images[0].url,))

    async def _stop(self, url: str) -> None:
        reply = await self._calls.call("PUT", f"{url}/cancel", timeout=TIMEOUT)
        if reply.status not in ENDED:
            raise translate_failure(self._label, reply)

    def _price(self, request: GenerationRequest) -> float | None:
        """Return what one picture costs, by what they said at the last probe."""
        known = self._known.get(endpoint_of(request, self._options))
        if known is None:
            return None
        unit = known.unit.casefold()
        if MEGAPIXEL in unit:
            return known.unit_price * megapixels(request)
        return known.unit_price if PICTURE in unit else None


def _failed(label: str, words: str) -> GenerationError:
    error = drawing_error(label, words, detail=COMPLETED)
    if isinstance(error, BackendError):
        error.may_have_run = True
    return error


def _seed(request: GenerationRequest, place: int) -> int:
    return seed_after(request.seed, place) % (MAX_SEED + 1)


def _unsaid(note: str) -> None:
    """Pass over what the first picture of a batch has said."""
