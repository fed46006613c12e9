"""Replicate: a prediction is begun, asked for by its id until it has ended, and its pictures are fetched.

Source: its openapi 1.0.0-a1, its changelog, and exchanges it recorded itself (`tests/data/replicate`). It lists its
predictions, so that one whose answer was lost is found there.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx

from backends.base import BackendConfig, KnownIds
from backends.kind import is_on
from backends.polling import BETWEEN, PolledState, PollPace, ended_with
from backends.queued import QueuedBackend, Say, parts_of
from backends.refusals import held_back
from backends.replicate import search
from backends.replicate.answers import STARTING, Prediction
from backends.replicate.client import API, CreationLimits, ReplicateClient
from backends.replicate.costs import cost_of, prices_for, quote_for
from backends.replicate.errors import failed, stopped, translate_failure
from backends.replicate.facts import SLUG, ReplicateFacts, ReplicateModel, slugs_of, to_capabilities
from backends.replicate.kind import EDIT_MODEL, MODEL, NAME
from backends.replicate.payload import ReplicateOrder, to_order
from generation.capabilities import Capabilities
from generation.errors import BackendError, CapabilityError, GenerationError, RateLimited, UnexpectedAnswer
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode
from texts.text import _
from utils.clock import Clock
from utils.threads import run_in_thread

KEPT_S: Final = 3_600.0  # so long a model's schema is taken as it was read
MAX_WAIT_S: Final = 5.0  # longer, and the lane pauses instead of the job
MAX_BATCH_WAIT_S: Final = 20.0  # for the next picture of a batch: the ones before are paid for
MAX_BEGUN: Final = 2_000


class ReplicateBackend(QueuedBackend[ReplicateOrder]):
    """One account. Options: `models`, `any_model`, `model`, `edit_model`, `output_format`, `limits`, `webhook_url`."""

    kind = NAME
    refusal = staticmethod(translate_failure)

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: PollPace | None = None,
    ) -> None:
        webhook = config.options.get("webhook_url", "").strip()
        super().__init__(config, transport=transport, clock=clock, pace=pace, is_announced=bool(webhook))
        self._slugs = slugs_of(config.options.get("models", ""))
        self._limits = CreationLimits(self._clock, config.options.get("limits", ""))
        self._own_files = f"{self._root}{API}/files/"
        self._client = ReplicateClient(
            self._label, self._http, self._clock, deadline_s=config.timeout_s, webhook=webhook
        )
        self._read: dict[str, tuple[float, ReplicateModel | None]] = {}
        self._sent: deque[str] = deque(maxlen=MAX_BEGUN)  # by this process: none of them is a lost one

    async def capabilities(self) -> Capabilities:
        """Ask for our account, and what the models take that were not read within the hour.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            UnexpectedAnswer: another product.
        """
        await self._client.account()
        return to_capabilities(await self._facts())

    def announce(self, remote_id: str) -> bool:
        return self._poller.announce(remote_id)

    def prices(self) -> tuple[PriceLine, ...]:
        return prices_for(self._slugs)

    async def _ready(self, request: GenerationRequest, say: Say) -> Sequence[ReplicateOrder]:
        """Return the predictions, once the model may be asked and large pictures are there.

        Raises:
            RateLimited: too often, by the limit that is set for the model.
        """
        orders = await self._orders(request, say)
        if (wait_s := self._limits.wait_s(orders[0].model.slug)) > MAX_WAIT_S:
            raise RateLimited(
                _("{label} takes no more pictures of this model now.", label=self._label),
                retry_after=wait_s,
                hint=_("Wait a little."),
            )
        links = await self._client.send(data for order in orders for data in order.large)
        return [replace(order, links=links) for order in orders]

    async def _search(
        self, request: GenerationRequest, begun: int, since: datetime | None, known: KnownIds, say: Say
    ) -> list[str]:
        others = {*self._sent, *(id for remote_id in await known() for id in remote_id.split(BETWEEN))}
        ids = await search.find(self._client, (await self._orders(request, say))[begun:], since, others)
        self._sent.extend(ids)
        return ids

    async def _drawn_by(self, request: GenerationRequest) -> str:
        return (await self._model(request)).slug

    def _price(self, request: GenerationRequest) -> float | None:
        facts = self._known_facts()
        model = facts.for_mode(request.mode, request.model).slug if facts.models else request.model or facts.usual
        return quote_for(model, 1)

    def _cost(self, request: GenerationRequest, model: str, ends: Sequence[PolledState]) -> float | None:
        return cost_of(model, ends)

    async def _orders(self, request: GenerationRequest, say: Say) -> list[ReplicateOrder]:
        """Return a prediction for each picture."""
        model = await self._model(request)
        if request.model and model.slug != request.model and request.mode is not Mode.UPSCALE:
            say(
                _(
                    "{wanted} does not do {mode}: {model} does it",
                    wanted=request.model,
                    mode=request.mode,
                    model=model.title,
                )
            )
        return [await run_in_thread(to_order, part, model, self._options, say) for part in parts_of(request)]

    async def _begin(self, order: ReplicateOrder) -> str:
        run = await self._client.begin(order)
        self._sent.append(run.id)
        return run.id

    async def begin(self, order: ReplicateOrder, since: datetime, *, is_first: bool) -> str:
        """Begin one prediction. One whose answer is lost is looked for; it is never sent again."""
        while True:
            await self._limits.take(order.model.slug)
            try:
                return await super().begin(order, since, is_first=is_first)
            except RateLimited as limited:
                wait_s = limited.retry_after or 1.0
                self._limits.hold(wait_s)
                if is_first or wait_s > MAX_BATCH_WAIT_S:
                    raise
            except BackendError as error:
                if not error.may_have_run or not (id := await self._lost(order, since)):
                    raise
                self._sent.append(id)
                return id

    async def _lost(self, order: ReplicateOrder, since: datetime) -> str:
        with suppress(GenerationError):
            found = await search.find(self._client, [order], since, self._sent)
            return found[0] if found else ""
        return ""

    async def _stop(self, id: str) -> None:
        """Take a prediction back. What runs is charged up to now."""
        await self._client.cancel(id)

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
            return held_back(self._label, "succeeded without output")  # no text: for the log
        if run.status == "succeeded":
            return UnexpectedAnswer(_("{label} answered without a picture.", label=self._label), may_have_run=True)
        if run.status in {"canceled", "aborted"}:
            return stopped(self._label, is_charged=run.status == "canceled")
        return failed(self._label, run.reason, f"{run.status}: {run.reason}"[:500])

    def _client_for(self, url: str) -> httpx.AsyncClient:
        """Return who may fetch an address: the key goes to their own file store alone."""
        return self._http if url.startswith(self._own_files) else self._pictures

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
