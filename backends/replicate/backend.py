"""Replicate: a prediction is begun, asked for by its id until it has ended, and its pictures are fetched.

Source: its openapi 1.0.0-a1, its changelog, and exchanges it recorded itself (`tests/data/replicate`). A prediction is
begun without waiting for it, so that its id is kept before it is drawn: whatever happens to Easel, it is never paid
twice.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx

from backends.base import (
    BackendConfig,
    KnownIds,
    ProgressCallback,
    RemoteState,
    Sending,
    follow,
    stop_remote,
    unnoted,
)
from backends.kind import is_on
from backends.polling import BETWEEN, PolledState, Poller, PollPace, ended_with, fetched
from backends.replicate import search
from backends.replicate.answers import STARTING, Prediction
from backends.replicate.client import API, CreationLimits, ReplicateClient
from backends.replicate.costs import cost_of, prices_for, quote_for
from backends.replicate.errors import failed, held_back, stopped
from backends.replicate.facts import SLUG, ReplicateFacts, ReplicateModel, slugs_of, to_capabilities
from backends.replicate.kind import EDIT_MODEL, KIND, MODEL, NAME, PUBLIC_URL
from backends.replicate.payload import ReplicateOrder, to_order
from backends.stored_pictures import picture_client
from generation.capabilities import Capabilities
from generation.errors import BackendError, CapabilityError, GenerationError, RateLimited, UnexpectedAnswer
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult
from net.client import BearerAuth, make_client
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

KEPT_S: Final = 3_600.0  # so long a model's schema is taken as it was read
CANCEL_WAIT_S: Final = 4.0
MAX_WAIT_S: Final = 5.0  # longer, and the lane pauses instead of the job
MAX_BATCH_WAIT_S: Final = 20.0  # for the next picture of a batch: the ones before are paid for
MAX_SEED: Final = 2**31 - 1
MAX_BEGUN: Final = 2_000


class ReplicateBackend:
    """One account. Options: `models`, `any_model`, `model`, `edit_model`, `output_format`, `limits`, `webhook_url`."""

    kind = NAME
    is_paid = True
    can_find = True

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
        self._slugs = slugs_of(config.options.get("models", ""))
        self._limits = CreationLimits(self._clock, config.options.get("limits", ""))
        root = (config.url or PUBLIC_URL).strip().rstrip("/")
        for end in KIND.cut:
            root = root.removesuffix(end)
        config = replace(config, url=root)
        self._own_files = f"{root}{API}/files/"
        webhook = config.options.get("webhook_url", "").strip()
        http = make_client(config.endpoint, transport=transport, auth=BearerAuth(config.key) if config.key else None)
        self._client = ReplicateClient(self._label, http, self._clock, deadline_s=config.timeout_s, webhook=webhook)
        self._pictures = picture_client(config, transport=transport)
        self._poller = Poller(
            look=self._look, stop=self._client.cancel, clock=self._clock, pace=pace, is_announced=bool(webhook)
        )
        self._read: dict[str, tuple[float, ReplicateModel | None]] = {}
        self._begun: deque[str] = deque(maxlen=MAX_BEGUN)  # of this process: none of them is a lost one

    async def capabilities(self) -> Capabilities:
        """Ask for our account, and what the models take that were not read within the hour.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        await self._client.account()
        return to_capabilities(await self._facts())

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn, a prediction for each; on cancellation take them back."""
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        """Begin a prediction for each picture; what is begun is kept where a later one fails.

        Raises:
            CapabilityError, RequestRejected: the model cannot do that.
            RateLimited: too often, for the account or by the limit that is set for the model.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, or no answer.
        """
        notes: list[str] = []
        orders = await self._orders(request, notes)
        if (wait := self._limits.wait_s(orders[0].model.slug)) > MAX_WAIT_S:
            raise RateLimited(
                _("{label} takes no more pictures of this model now.", label=self._label),
                retry_after=wait,
                hint=_("Wait a little."),
            )
        links = await self._client.send(data for order in orders for data in order.large)
        since = self._clock.now()
        await sending(since.isoformat())
        ids: list[str] = []
        try:
            for order in orders:
                ids.append(await self._begin(order, links, since, ids))
        except GenerationError as error:
            if not ids:
                raise
            notes.append(error.user_message)
        except asyncio.CancelledError:
            if ids:
                await stop_remote(self, BETWEEN.join(ids))
            raise
        return self._poller.follow(ids, notes)

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        """Look among our predictions for what was sent for a request; see `search`."""
        since = None
        with suppress(ValueError):
            since = datetime.fromisoformat(intent)
        others = {*self._begun, *(id for remote_id in await known() for id in remote_id.split(BETWEEN))}
        notes: list[str] = []
        ids = await search.find(self._client, await self._orders(request, notes), since, others)
        self._begun.extend(ids)
        return self._poller.follow(ids, notes) if ids else None

    async def poll(self, remote_id: str) -> RemoteState:
        return await self._poller.poll(remote_id)

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures of predictions that have ended, and what they cost.

        Raises:
            ContentBlocked: the model's filter found something in each of them.
            BackendError, RequestRejected: the model failed.
            BackendUnavailable, UnexpectedAnswer: the pictures could not be fetched.
        """
        ends, notes = self._poller.ended(remote_id)
        model = (await self._model(request)).slug
        brought = await fetched(self._label, ends, request.width * request.height, self._client_for)
        cost = cost_of(model, ends)
        if cost is None:
            notes.append(_("what it cost is not known"))
        images = (GeneratedImage(data=data, seed=_seed(request, place)) for place, _end, data in brought)
        return GenerationResult(
            images=tuple(images),
            model=model,
            cost_usd=cost or 0.0,
            notes=tuple(notes),
            is_complete=len(brought) >= request.batch_size,
        )

    async def cancel(self, remote_id: str) -> None:
        """Take predictions back. What runs is charged up to now."""
        await self._poller.cancel(remote_id)

    def announce(self, remote_id: str) -> bool:
        return self._poller.announce(remote_id)

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars; None where nobody says."""
        facts = self._known_facts()
        model = facts.for_mode(request.mode, request.model).slug if facts.models else request.model or facts.usual
        return quote_for(model, request.batch_size)

    def prices(self) -> tuple[PriceLine, ...]:
        return prices_for(self._slugs)

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._client.aclose()

    async def _orders(self, request: GenerationRequest, notes: list[str]) -> list[ReplicateOrder]:
        """Return a prediction for each picture."""
        model = await self._model(request)
        if request.model and model.slug != request.model and request.mode is not Mode.UPSCALE:
            notes.append(
                _(
                    "{wanted} does not do {mode}: {model} does it",
                    wanted=request.model,
                    mode=request.mode,
                    model=model.title,
                )
            )
        orders = []
        for place in range(request.batch_size):
            part = replace(request, batch_size=1, seed=_seed(request, place))
            say = notes.append if place == 0 else _unsaid
            orders.append(await run_in_thread(to_order, part, model, self._options, say))
        return orders

    async def _begin(self, order: ReplicateOrder, links: dict[bytes, str], since: datetime, before: list[str]) -> str:
        """Begin one prediction. One whose answer is lost is looked for; it is never sent again."""
        slug = order.model.slug
        while True:
            await self._limits.take(slug)
            sending = asyncio.create_task(self._client.begin(order, links))
            try:
                run = await asyncio.shield(sending)
                self._begun.append(run.id)
                return run.id
            except asyncio.CancelledError:
                await self._take_back(sending)
                raise
            except RateLimited as limited:
                wait = limited.retry_after or 1.0
                self._limits.hold(wait)
                if not before or wait > MAX_BATCH_WAIT_S:
                    raise
            except BackendError as error:
                if not error.may_have_run or not (id := await self._lost(order, since)):
                    raise
                self._begun.append(id)
                return id

    async def _lost(self, order: ReplicateOrder, since: datetime) -> str:
        with suppress(GenerationError):
            found = await search.find(self._client, [order], since, self._begun)
            return found[0] if found else ""
        return ""

    async def _take_back(self, sending: asyncio.Task[Prediction]) -> None:
        """Wait a moment for the id of what was just sent, and cancel it."""
        with suppress(GenerationError, TimeoutError):
            async with asyncio.timeout(CANCEL_WAIT_S):
                await self._client.cancel((await sending).id)

    async def _look(self, id: str) -> PolledState:
        run = await self._client.look(id)
        if not run.has_ended:
            note = _("waiting for a machine") if run.status == STARTING else _("being drawn")
            return PolledState(fraction=run.fraction, note=note)
        if run.status == "succeeded" and run.files:
            return PolledState(is_finished=True, files=run.files, seconds=run.seconds)
        return ended_with(self._why(run))

    def _why(self, run: Prediction) -> GenerationError:
        """Return why a prediction that has ended drew nothing."""
        if run.status == "succeeded" and run.output in (None, [], "", {}):
            return held_back(self._label)
        if run.status == "succeeded":
            return UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
        if run.status in {"canceled", "aborted"}:
            return stopped(self._label, is_charged=run.status == "canceled")
        return failed(self._label, run.reason, f"{run.status}: {run.reason}"[:500])

    def _client_for(self, url: str) -> httpx.AsyncClient:
        """Return who may fetch an address: the key goes to their own file store alone."""
        return self._client.calls.client if url.startswith(self._own_files) else self._pictures

    async def _model(self, request: GenerationRequest) -> ReplicateModel:
        """Return the model that draws a request.

        Raises:
            CapabilityError: there is no such model, or none that can do it.
        """
        facts = self._known_facts() if self._read else await self._facts()
        if request.model and facts.takes_any and not facts.find(request.model) and SLUG.fullmatch(request.model):
            await self._read_model(request.model)
            model = self._read[request.model][1]
            if model is None:
                raise CapabilityError(
                    _("{label} has no such model.", label=self._label),
                    field="model",
                    hint=_("Look for it on its page."),
                )
            if request.mode in model.modes:
                return model
        return facts.for_mode(request.mode, request.model)

    async def _facts(self) -> ReplicateFacts:
        """Read the models that were not read within the hour.

        Raises:
            GenerationError: none of them could be read.
        """
        reads = [self._read_model(slug) for slug in self._slugs]
        failures = [failure for failure in await asyncio.gather(*reads, return_exceptions=True) if failure]
        facts = self._known_facts()
        if failures and not facts.models:
            raise failures[0]
        return facts

    async def _read_model(self, slug: str) -> None:
        now = self._clock.monotonic()
        known = self._read.get(slug)
        if known and now - known[0] <= KEPT_S:
            return
        try:
            model: ReplicateModel | None = await self._client.model(slug)
        except CapabilityError:
            model = None
        self._read[slug] = (now, model)

    def _known_facts(self) -> ReplicateFacts:
        read = [self._read[slug][1] for slug in self._slugs if slug in self._read]
        return ReplicateFacts(
            models=tuple(model for model in read if model),
            usual=self._options.get("model", "").strip() or MODEL,
            usual_edit=self._options.get("edit_model", "").strip() or EDIT_MODEL,
            takes_any=is_on(self._options, "any_model"),
        )


def _seed(request: GenerationRequest, place: int) -> int:
    return seed_after(request.seed, place) % (MAX_SEED + 1)


def _unsaid(note: str) -> None:
    """Pass over what the first picture of a batch has said."""
