"""Google's Gemini API, v1beta: `generateContent` answers with a picture, or with words in its place.

Source: its REST reference. There is no job that could be asked for or cancelled: a call whose answer is lost is gone,
and never sent again by itself.
"""

from dataclasses import field, replace
from typing import Any, Final

import httpx

from backends.base import BackendConfig, ProgressCallback
from backends.gemini.answers import GeminiAnswer, ListedModels
from backends.gemini.errors import translate_failure, without_picture
from backends.gemini.kind import KIND, MODELS_PATH, NAME
from backends.gemini.payload import MAX_PICTURES, MAX_SEED, size_for, to_order
from backends.kinds import hosted_client
from backends.prices import lines_of, price_for, prices_of
from backends.stored_pictures import picture
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendError, GenerationError
from generation.job import Progress
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode, seed_after
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.answers import write_json
from net.calls import JSON, Calls
from net.client import CONNECT_TIMEOUT_S
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

PACKAGE: Final = "backends.gemini"
ASK_TIMEOUT_S: Final = 8.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024  # a picture of 4096 x 4096 as base64, and drafts of it
LARGEST_PIXELS: Final = 4096 * 4096
BEST_KNOWN: Final = ("gemini-nano-banana-2.1", "gemini-3-pro-image")


@dataclass
class _Run:
    """All that one job has brought so far."""

    images: list[GeneratedImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost_usd: float = 0.0
    is_priced: bool = True

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class GeminiBackend:
    """One account. Options: `model`, `image_size`."""

    kind = NAME
    is_paid = True

    def __init__(
        self, config: BackendConfig, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        config, client = hosted_client(config, transport)
        self._calls = Calls(self._label, client, refusal=translate_failure)
        self._timeout = httpx.Timeout(config.timeout_s, connect=CONNECT_TIMEOUT_S)
        self._models: tuple[ModelInfo, ...] = ()

    async def capabilities(self) -> Capabilities:
        """Ask for the models that draw, which costs nothing and proves the key.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            BackendError, UnexpectedAnswer: no model that draws, or another product.
        """
        sent: dict[str, Any] = {"params": {"pageSize": "1000"}, "timeout": ASK_TIMEOUT_S, "may_have_run": False}
        listed = await self._calls.read(ListedModels, MODELS_PATH, **sent)
        found = [model for model in listed.models if model.draws]
        if not found:
            raise BackendError(_("{label} lists no model that draws.", label=self._label), hint=KIND.no_models_hint)
        self._models = tuple(ModelInfo(name=model.id, title=model.displayName or model.id) for model in found)
        return Capabilities(
            modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG}),
            models=self._models,
            size_grid=8,
            min_side=256,
            max_side=4096,
            max_batch=10,
            max_images=MAX_PICTURES,
            max_seed=MAX_SEED,
            supports_steps=False,
            supports_cfg_scale=False,
            is_deterministic=False,  # nobody promises it
            default_width=1024,
            default_height=1024,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn, one call for each; what is drawn is kept where a later call fails.

        Raises:
            ContentBlocked: the filter refuses it, with its reason.
            RequestRejected: the model answered in words.
            RateLimited: too often.
            BackendError, BackendUnavailable, UnexpectedAnswer: no billing, no answer, or no picture in it.
        """
        if not self._models:
            await self.capabilities()
        run, model = _Run(), self._model_for(request)
        await report(Progress(note=_("being drawn")))
        for place in range(request.batch_size):
            part = replace(request, batch_size=1, seed=seed_after(request.seed, place) % (MAX_SEED + 1))
            try:
                await self._draw(part, model, run)
            except GenerationError as error:
                if not run.images:
                    raise
                run.say(error.user_message)
                break
            await report(Progress(fraction=len(run.images) / request.batch_size, note=_("being drawn")))
        if not run.is_priced:
            run.say(_("what it cost is not known"))
        return GenerationResult(
            images=tuple(run.images),
            model=model,
            cost_usd=run.cost_usd,
            notes=tuple(run.notes),
            is_complete=len(run.images) >= request.batch_size,
        )

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars, without the words and pictures that go in."""
        model = self._model_for(request)
        price = price_for(prices_of(PACKAGE), model)
        usd = price.for_picture(size_for(request, model, self._options)) if price else None
        return None if usd is None else usd * request.batch_size

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(line for price in prices_of(PACKAGE).values() for line in lines_of(price))

    async def aclose(self) -> None:
        await self._calls.aclose()

    def _model_for(self, request: GenerationRequest) -> str:
        """Return the model of a request: the one that was named, that is set, or the best known of the list."""
        names = [model.name for model in self._models]
        best = next((name for name in BEST_KNOWN if name in names), names[0] if names else BEST_KNOWN[0])
        return request.model or self._options.get("model", "").strip() or best

    async def _draw(self, request: GenerationRequest, model: str, run: _Run) -> None:
        order = await run_in_thread(to_order, request, model, self._options, run.say)
        content = await run_in_thread(write_json, order.body)
        body = await self._calls.fetch(
            "POST",
            f"{MODELS_PATH}/{model}:generateContent",
            content=content,
            headers=JSON,
            limit=MAX_ANSWER_BYTES,
            timeout=self._timeout,
        )
        answer = await self._calls.as_kind(GeminiAnswer, body, may_have_run=True)
        if not answer.picture:
            raise without_picture(self._label, answer)
        data = await picture(self._label, self._calls.client, f"data:,{answer.picture}", LARGEST_PIXELS)
        usd = self._cost(answer, model, order.size)
        run.cost_usd += usd or 0.0
        run.is_priced = run.is_priced and usd is not None
        run.images.append(GeneratedImage(data=data, seed=request.seed))

    def _cost(self, answer: GeminiAnswer, model: str, size: str) -> float | None:
        """Return what a picture has cost: by its tokens, else what it was to cost."""
        price = price_for(prices_of(PACKAGE), model)
        used = answer.usageMetadata.image_tokens if answer.usageMetadata else 0
        if price and used and price.tokens:
            return price.for_tokens({"image_out": used})
        return price.for_picture(size) if price else None
