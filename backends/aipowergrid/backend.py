"""AI Power Grid (`/v1`): `POST /v1/images/generations` answers when a worker has drawn the pictures.

Source: grid-core 4ee16f7, its `/openapi.json` and recorded exchanges (`tests/data/horde`). It can neither cancel a job
nor fetch one again, so a run is not taken up after a restart; progress is asked for by a token of our own.
"""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel

from backends.aipowergrid.answers import Fraction, GridDrawn, Quote
from backends.aipowergrid.errors import no_credit, translate_failure
from backends.aipowergrid.facts import GridFacts, GridProbe, root_of, to_capabilities
from backends.aipowergrid.kind import NAME, PUBLIC_URL
from backends.aipowergrid.payload import to_payload
from backends.base import BackendConfig, ProgressCallback
from backends.stored_pictures import picture, picture_client
from generation.capabilities import Capabilities
from generation.errors import BackendError, GenerationError, RateLimited, UnexpectedAnswer
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.answers import write_json
from net.calls import JSON, Calls, read_as
from net.client import CONNECT_TIMEOUT_S, BearerAuth, make_client
from net.rates import Rate, RateWindow
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

SUBMIT_RATES: Final = (Rate(10, 60.0),)  # per key, refused ones included
PROGRESS_RATES: Final = (Rate(1, 0.5),)  # none is published: no more than two a second for all jobs together
MAX_AT_ONCE: Final = 4  # per account
MAX_SUBMIT_WAIT_S: Final = 5.0  # longer, and the lane pauses instead of the job
SERVER_LIMIT_S: Final = 300.0  # after which the server itself answers
SPARE_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024  # four pictures inside, where it gives no URLs
MAX_SMALL_BYTES: Final = 64 * 1024
ASK_TIMEOUT_S: Final = 8.0
QUOTE_S: Final = 60.0  # so long a price is taken as it was told

_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class GridPace:
    """Intervals between questions about the progress of a job; seconds."""

    progress_s: float = 1.5


class AiPowerGridBackend:
    """One Grid.

    `key` begins with `grid_` and comes from the Grid's console. Options: `model`, `output_format` (webp, png, jpeg).
    """

    kind = NAME

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: GridPace | None = None,
    ) -> None:
        self.name = config.name
        self.is_paid = True  # until the server says that it charges nothing
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        self._pace = pace or GridPace()
        self._timeout_s = max(config.timeout_s, SERVER_LIMIT_S + SPARE_S)
        config = replace(config, url=root_of(config.url or PUBLIC_URL))
        auth = BearerAuth(config.key) if config.key else None
        client = make_client(config.endpoint, transport=transport, auth=auth)
        self._calls = Calls(self._label, client, refusal=translate_failure)
        self._pictures = picture_client(config, transport=transport)
        self._submits = RateWindow(self._clock, *SUBMIT_RATES)
        self._looks = RateWindow(self._clock, *PROGRESS_RATES)
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self._probe = GridProbe(self._calls, has_key=bool(config.key))
        self._facts: GridFacts | None = None
        self._quotes: dict[tuple[str, int], tuple[float, float | None]] = {}  # by model and number of pictures

    async def capabilities(self) -> Capabilities:
        """Ask for the models, what each takes, and our credit.

        Raises:
            BackendAuthError: there is no key, or it is not known there.
            BackendUnavailable: no answer, or no worker.
            BackendError: another product, such as an AI Horde.
        """
        self._facts = await self._probe.facts()
        self.is_paid = self._facts.credit.charging_enabled
        return to_capabilities(self._facts, self._options.get("model", ""))

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have one job drawn and wait for its pictures. A job whose caller leaves is drawn to its end unseen.

        Raises:
            RateLimited: too many calls this minute, or too many jobs at once.
            CapabilityError, RequestRejected: the model cannot do that.
            OutOfMemory, BackendError: a worker failed, or there is too little credit.
            BackendUnavailable, UnexpectedAnswer: no worker, no answer, or no pictures in it.
        """
        if self._facts is None:
            await self.capabilities()
        facts = self._facts
        assert facts is not None
        notes: list[str] = []
        payload = await run_in_thread(to_payload, request, facts, self._options, notes.append)
        payload["progress_token"] = f"easel-{secrets.token_hex(16)}"
        content = await run_in_thread(write_json, payload)
        async with self._places:
            price = await self._price(payload, facts, report)
            drawn = await self._draw(payload, content, facts, report)
        images, missing = await self._fetch(drawn, request)
        if missing:
            notes.append(
                _("{missing} of {batch_size} could not be fetched", missing=missing, batch_size=request.batch_size)
            )
        if price is not None:
            notes.append(
                _(
                    "${price:.4g} of ${total_spendable_usd:.2f} credit",
                    price=price,
                    total_spendable_usd=facts.credit.total_spendable_usd,
                )
            )
        return GenerationResult(
            images=images, model=drawn.grid.model or payload["model"], cost_usd=price or 0.0, notes=tuple(notes)
        )

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._calls.aclose()

    async def _price(self, payload: dict[str, Any], facts: GridFacts, report: ProgressCallback) -> float | None:
        """Report what it will cost and return that in US dollars; None where the Grid charges nothing.

        Raises:
            BackendError: the account holds too little.
        """
        quote = await self._quote(payload["model"], payload["n"], facts)
        if quote is None or quote.cost_usd is None:
            return None
        if not quote.balance_sufficient:
            raise no_credit(self._label, _("{cost_usd} USD wanted", cost_usd=quote.cost_usd))
        await report(Progress(note=f"costs ${quote.cost_usd:.4g}"))
        return quote.cost_usd

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return the price in US dollars; asked again only after a minute, since forms ask with every key press."""
        facts = self._facts
        model = facts.model(request.model, request.mode, self._options.get("model", "")) if facts else None
        if facts is None or model is None or not facts.credit.charging_enabled:
            return None
        key, now = (model.name, request.batch_size), self._clock.monotonic()
        known = self._quotes.get(key)
        if known is None or now - known[0] > QUOTE_S:
            quote = await self._quote(*key, facts)
            known = self._quotes[key] = (now, quote.cost_usd if quote else None)
        return known[1]

    async def _quote(self, model: str, count: int, facts: GridFacts) -> Quote.Estimate | None:
        if not facts.credit.charging_enabled:
            return None
        form = {"model": model, "modality": "image", "n": count}
        try:
            body = await self._post("/v1/account/credits/quote", write_json(form), MAX_SMALL_BYTES, ASK_TIMEOUT_S)
            return self._read(Quote, body).estimate
        except BackendError as error:
            error.may_have_run = False  # only the price was asked for
            raise

    async def _draw(
        self, payload: dict[str, Any], content: bytes, facts: GridFacts, report: ProgressCallback
    ) -> GridDrawn:
        wait = self._submits.wait_s()
        if wait > MAX_SUBMIT_WAIT_S:
            raise RateLimited(
                _("{label} takes no more jobs this minute.", label=self._label),
                retry_after=wait,
                hint=_("Wait a little."),
            )
        await self._submits.take()
        model = facts.model(payload["model"])
        watcher = asyncio.create_task(
            self._watch(payload["progress_token"], model.latency_s if model else None, report)
        )
        try:
            body = await self._post("/v1/images/generations", content, MAX_ANSWER_BYTES, self._timeout_s)
        except RateLimited as limited:
            self._submits.hold(limited.retry_after or 1.0)
            raise
        finally:
            watcher.cancel()
            await asyncio.wait([watcher])
        drawn = await run_in_thread(self._read, GridDrawn, body)
        if not drawn.data:
            raise UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
        return drawn

    async def _fetch(self, drawn: GridDrawn, request: GenerationRequest) -> tuple[tuple[GeneratedImage, ...], int]:
        """Return the pictures that could be fetched, and how many could not."""
        pixels = request.width * request.height
        files = await asyncio.gather(
            *(
                picture(self._label, self._pictures, item.url or item.b64_json or "", pixels)
                for item in drawn.data[: request.batch_size]
            ),
            return_exceptions=True,
        )
        failures = [failure for failure in files if isinstance(failure, BaseException)]
        if len(failures) == len(files):
            raise failures[0]
        images = tuple(
            GeneratedImage(data=data, seed=request.seed + place if item.seed is None else item.seed)
            for place, (item, data) in enumerate(zip(drawn.data, files, strict=False))
            if isinstance(data, bytes)
        )
        return images, request.batch_size - len(images)

    async def _watch(self, token: str, usual_s: float | None, report: ProgressCallback) -> None:
        """Report how far the job is until cancelled; nothing here ever fails it."""
        fraction = 0.0
        while True:
            with contextlib.suppress(GenerationError):
                answer = await self._progress(token)
                fraction = max(fraction, min(1.0, (answer or 0.0) / 100))
                note = _("being drawn") if answer is not None else _("waiting for a worker")
                eta = usual_s * (1 - fraction) if usual_s else None
                try:
                    await report(Progress(fraction=fraction, eta_s=eta, note=note))
                except Exception as error:  # a broken watcher of progress must not cost the picture
                    log.debug("progress could not be reported: %r", error)
            await self._clock.sleep(self._pace.progress_s)

    async def _progress(self, token: str) -> float | None:
        await self._looks.take()
        reply = await self._calls.call("GET", f"/v1/progress/{token}", limit=MAX_SMALL_BYTES, timeout=ASK_TIMEOUT_S)
        if reply.status != HTTPStatus.OK:
            failure = self._calls.refused(reply)
            self._looks.hold(failure.retry_after or self._pace.progress_s)
            raise failure
        return self._read(Fraction, reply.body).progress

    async def _post(self, path: str, content: bytes, limit: int, timeout_s: float) -> bytes:
        timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        return await self._calls.fetch("POST", path, limit=limit, content=content, headers=JSON, timeout=timeout)

    def _read(self, kind: type[_Answer], body: bytes) -> _Answer:
        return read_as(self._label, kind, body, may_have_run=True)
