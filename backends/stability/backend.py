"""Stability AI's REST API, v2beta: a call for each picture, answered with the picture itself.

Source: its REST reference. Only the creative upscaler answers with a job, whose result is asked for every ten seconds
and kept for a day. Nothing can be cancelled there, so what was sent is never sent again by itself.
"""

from dataclasses import field, replace
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import BaseModel

from backends.base import BackendConfig, ProgressCallback
from backends.kind import option_of
from backends.kinds import hosted_client
from backends.prices import lines_of, price_for, prices_of
from backends.refusals import held_back
from backends.stability.errors import translate_failure
from backends.stability.kind import BALANCE_PATH, DRAWING, NAME, Balance
from backends.stability.payload import CONTROLS, EDITS, MAX_SEED, PRESETS, UPSCALERS, StableOrder, name_of, to_order
from backends.stored_pictures import check_picture
from constants import APP_NAME, MAX_IMAGE_BYTES
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import GenerationError, RateLimited, UnexpectedAnswer
from generation.job import Progress
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.calls import Calls
from net.client import CONNECT_TIMEOUT_S
from net.rates import Rate, RateWindow
from net.reply import Reply
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

PACKAGE: Final = "backends.stability"
CALL_RATES: Final = (Rate(150, 10.0),)
POLL_S: Final = 10.0  # it allows no more
ASK_TIMEOUT_S: Final = 8.0
FILTERED: Final = "CONTENT_FILTERED"
MODES: Final = frozenset({Mode.TXT2IMG, Mode.IMG2IMG, Mode.INPAINT, Mode.UPSCALE, Mode.RESTYLE})
ONE_CALL: Final = {"Accept": "image/*", "stability-client-id": APP_NAME}


class _Begun(BaseModel):
    id: str


@dataclass
class _Run:
    """All that one job has brought so far."""

    images: list[GeneratedImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost_usd: float = 0.0
    name: str = ""

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class StabilityBackend:
    """One account. Options: `model`, `edit_model`, `output_format`, `pause`."""

    kind = NAME
    is_paid = True

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        self._poll_s = poll_s
        config, client = hosted_client(config, transport)
        self._calls = Calls(self._label, client, refusal=translate_failure)
        self._timeout = httpx.Timeout(config.timeout_s, connect=CONNECT_TIMEOUT_S)
        pause_s = float(option_of(self._options, "pause", "0"))
        own = (Rate(1, pause_s),) if pause_s else ()
        self._window = RateWindow(self._clock, *CALL_RATES, *own)

    async def capabilities(self) -> Capabilities:
        """Ask for our balance, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        await self._calls.read(Balance, BALANCE_PATH, timeout=ASK_TIMEOUT_S, may_have_run=False)
        return Capabilities(
            modes=MODES,
            models=tuple(ModelInfo(name=name, title=name, is_loaded=True) for name in (*DRAWING, *EDITS)),
            styles=PRESETS,
            upscalers=UPSCALERS,
            control_kinds=CONTROLS,
            size_grid=8,
            min_side=64,
            max_side=3072,
            max_batch=10,
            max_images=2,
            max_seed=MAX_SEED,
            supports_steps=False,
            is_deterministic=False,  # nobody promises it
            default_width=1024,
            default_height=1024,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn, one call for each; what is drawn is kept where a later call fails.

        Raises:
            ContentBlocked: the filter refuses it, or held the picture back.
            CapabilityError, RequestRejected: no endpoint does that.
            RateLimited: too often.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, no answer, or no picture in it.
        """
        run = _Run()
        await report(Progress(note=_("being drawn")))
        for place in range(request.batch_size):
            part = replace(request, batch_size=1, seed=seed_after(request.seed, place) % MAX_SEED)
            try:
                await self._draw(part, run)
            except GenerationError as error:
                if not run.images:
                    raise
                run.say(error.user_message)  # how many came back is said where they are kept
                break
            done = len(run.images) / request.batch_size
            await report(Progress(fraction=done, note=_("being drawn")))
        return GenerationResult(
            images=tuple(run.images),
            model=run.name,
            cost_usd=run.cost_usd,
            notes=tuple(run.notes),
            is_complete=len(run.images) >= request.batch_size,
        )

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars."""
        price = price_for(prices_of(PACKAGE), name_of(request, self._options))
        usd = price.for_picture() if price else None
        return None if usd is None else usd * request.batch_size

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(line for price in prices_of(PACKAGE).values() for line in lines_of(price))

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def _draw(self, request: GenerationRequest, run: _Run) -> None:
        order = await run_in_thread(to_order, request, self._options, run.say)
        await self._window.take()
        try:
            reply = await self._begun(order) if order.is_begun else await self._answer(order)
        except RateLimited as limited:
            self._window.hold(limited.retry_after or 1.0)
            raise
        if reply.headers.get("finish-reason", "").upper() == FILTERED:
            raise held_back(self._label, "finish reason CONTENT_FILTERED")  # no text: for the log
        await run_in_thread(check_picture, self._label, reply.body)
        price = price_for(prices_of(PACKAGE), order.name)
        run.cost_usd += (price.for_picture() if price else None) or 0.0
        run.name = order.name
        seed = reply.headers.get("seed", "")
        is_seed = seed.isascii() and seed.isdigit() and len(seed) <= 10
        run.images.append(GeneratedImage(data=reply.body, seed=int(seed) if is_seed else request.seed))

    async def _answer(self, order: StableOrder) -> Reply:
        reply = await self._calls.call(
            "POST", order.path, limit=MAX_IMAGE_BYTES, timeout=self._timeout, headers=ONE_CALL, **order.sent()
        )
        return self._picture(reply)

    async def _begun(self, order: StableOrder) -> Reply:
        """Begin a job and wait for its result."""
        sent = order.sent() | {"headers": {**ONE_CALL, "Accept": "application/json"}, "timeout": self._timeout}
        body = await self._calls.fetch("POST", order.path, **sent)
        job = await self._calls.as_kind(_Begun, body, may_have_run=True)
        while True:
            await self._clock.sleep(self._poll_s)
            reply = await self._calls.call(
                "GET",
                f"/v2beta/results/{job.id}",
                limit=MAX_IMAGE_BYTES,
                timeout=self._timeout,
                headers=ONE_CALL,
                may_have_run=True,
            )
            if reply.status != HTTPStatus.ACCEPTED:
                return self._picture(reply)

    def _picture(self, reply: Reply) -> Reply:
        """Return an answer that has a picture in it.

        Raises:
            GenerationError: it is a refusal, or something else.
        """
        if not reply.is_success or reply.is_page:
            raise self._calls.refused(reply)
        if not reply.headers.get("content-type", "").startswith("image/"):
            raise UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
        return reply
