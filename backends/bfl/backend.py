"""Black Forest Labs: a request is answered with an address that is asked until the picture is there.

Source: docs.bfl.ai. The address is the job's id, so that one that was begun is fetched after a restart; there is no
list of jobs and nothing can be taken back, so one whose answer was lost is never sent again by itself.
"""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import httpx

from backends.base import BackendConfig, ProgressCallback, RemoteState, follow
from backends.bfl.answers import WAITING, BflBegun, BflResult
from backends.bfl.errors import ended, translate_failure
from backends.bfl.kind import CREDITS_PATH, KEY_HEADER, KIND, MODELS, NAME, PUBLIC_URL, BflCredits
from backends.bfl.payload import MAX_PICTURES, MAX_SEED, megapixels, model_of, to_body
from backends.polling import PolledState, Poller, PollPace, ended_with, fetched
from backends.prices import lines_of, price_for, prices_of
from backends.stored_pictures import picture_client
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import GenerationError
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult
from net.answers import write_json
from net.calls import JSON, Calls
from net.client import CONNECT_TIMEOUT_S, make_client
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

PACKAGE: Final = "backends.bfl"
TIMEOUT: Final = httpx.Timeout(30.0, connect=CONNECT_TIMEOUT_S)
READ_TIMEOUT: Final = TIMEOUT
DOMAIN: Final = ".bfl.ai"
RESULT_PATH: Final = "/v1/get_result"


class BflBackend:
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
        self._root = root
        client = make_client(config.endpoint, transport=transport)
        if config.key:
            client.headers[KEY_HEADER] = config.key
        self._calls = Calls(self._label, client, refusal=translate_failure, timeout=TIMEOUT)
        self._pictures = picture_client(config, transport=transport)
        self._poller = Poller(look=self._look, stop=_leave, clock=self._clock, pace=pace)

    async def capabilities(self) -> Capabilities:
        """Ask for our credits, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        await self._calls.read(BflCredits, CREDITS_PATH, timeout=READ_TIMEOUT, may_have_run=False)
        return Capabilities(
            modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG}),
            models=tuple(ModelInfo(name=name, title=name, is_loaded=True) for name in MODELS),
            size_grid=16,
            min_side=256,
            max_side=2048,
            max_batch=10,
            max_images=MAX_PICTURES,
            max_seed=MAX_SEED,
            supports_steps=False,
            supports_cfg_scale=False,
            supports_negative_prompt=False,
            supports_progress=True,
            default_width=1024,
            default_height=1024,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn; what a caller leaves is drawn to its end unseen."""
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest) -> str:
        """Begin a job for each picture; what is begun is kept where a later one fails.

        Raises:
            RequestRejected: the model does not take that.
            RateLimited: too many jobs at once.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, or no answer.
        """
        model, notes, ids = model_of(request, self._options), list[str](), list[str]()
        try:
            for place in range(request.batch_size):
                part = replace(request, batch_size=1, seed=_seed(request, place))
                body = await run_in_thread(to_body, part, model, self._options, notes.append if not place else _unsaid)
                ids.append(await self._begin(model, await run_in_thread(write_json, body)))
        except GenerationError as error:
            if not ids:
                raise
            notes.append(error.user_message)
        return self._poller.follow(ids, notes)

    async def poll(self, remote_id: str) -> RemoteState:
        return await self._poller.poll(remote_id)

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures of jobs that have ended, and what they cost.

        Raises:
            ContentBlocked: the filter refused each of them, with its reason.
            BackendError: they failed.
            BackendUnavailable, UnexpectedAnswer: the pictures could not be fetched.
        """
        ends, notes = self._poller.ended(remote_id)
        pixels = request.width * request.height
        brought = await fetched(self._label, ends, pixels, lambda url: self._pictures)
        each = self._price(request)
        costs = [each if end.cost_usd is None else end.cost_usd for end in ends if end.files]
        images = (GeneratedImage(data=data, seed=_seed(request, place)) for place, _end, data in brought)
        return GenerationResult(
            images=tuple(images),
            model=model_of(request, self._options),
            cost_usd=sum(cost for cost in costs if cost is not None),
            notes=tuple(notes),
            is_complete=len(brought) >= request.batch_size,
        )

    async def cancel(self, remote_id: str) -> None:
        """Forget a job: nothing can be taken back there, so it is drawn and nobody fetches it."""
        await self._poller.cancel(remote_id)

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars, by the megapixels that go in and come out."""
        usd = self._price(request)
        return None if usd is None else usd * request.batch_size

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(line for price in prices_of(PACKAGE).values() for line in lines_of(price))

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._calls.aclose()

    async def _begin(self, model: str, content: bytes) -> str:
        body = await self._calls.fetch("POST", f"/v1/{model}", content=content, headers=JSON, timeout=TIMEOUT)
        begun = await self._calls.as_kind(BflBegun, body, may_have_run=True)
        usual = f"{self._root}{RESULT_PATH}?id={begun.id}"
        return begun.polling_url if self._is_theirs(begun.polling_url) else usual

    def _is_theirs(self, url: str) -> bool:
        """Return whether our key may go to an address: our own root, or another of their regions."""
        try:
            asked, own = urlsplit(url), urlsplit(self._root)
        except ValueError:
            return False
        if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
            return " " not in url
        both = f".{asked.hostname}".endswith(DOMAIN) and f".{own.hostname}".endswith(DOMAIN)
        return both and asked.scheme == "https" and asked.port in {None, 443} and " " not in url

    async def _look(self, url: str) -> PolledState:
        result = await self._calls.read(BflResult, url)
        if result.status in WAITING:
            return PolledState(fraction=result.fraction, note=_("being drawn"))
        if result.status == "Ready" and result.result and result.result.sample:
            return PolledState(is_finished=True, files=(result.result.sample,), cost_usd=result.cost_usd)
        return ended_with(ended(self._label, result))

    def _price(self, request: GenerationRequest) -> float | None:
        """Return what one picture costs."""
        price = price_for(prices_of(PACKAGE), model_of(request, self._options))
        if price is None or (first := price.for_picture()) is None:
            return None
        out, into = megapixels(request)
        return first + (out - 1 + into) * price.picture.get("more", 0.0)


async def _leave(url: str) -> None:
    """Stand in for what the service does not have: a job there is drawn to its end."""


def _seed(request: GenerationRequest, place: int) -> int:
    return seed_after(request.seed, place) % (MAX_SEED + 1)


def _unsaid(note: str) -> None:
    """Pass over what the first picture of a batch has said."""
