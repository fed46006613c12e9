"""OpenAI's images API and the servers that speak it: one request, and the answer has the pictures.

Source: OpenAI's openapi of 2026-08 (`dialects` says what others do differently). There is no job that could be asked
for: a request whose answer is lost is gone, and where it costs money it is never sent again by itself.
"""

import base64
import binascii
from dataclasses import field, replace
from typing import Final
from urllib.parse import urlsplit

import httpx

from backends.base import BackendConfig, ProgressCallback
from backends.kind import is_on, number_of, option_of
from backends.openai_images.answers import Drawn
from backends.openai_images.client import Client
from backends.openai_images.costs import Costs
from backends.openai_images.dialects.dialect import Dialect
from backends.openai_images.dialects.known import AUTO, CLASSIC, DIALECTS
from backends.openai_images.facts import Facts, dialect_at, dialect_of, facts_of, to_capabilities
from backends.openai_images.kind import KIND, NAME, PUBLIC_URL
from backends.openai_images.payload import per_request, to_order
from backends.stored_pictures import is_private, picture, picture_client
from generation.capabilities import Capabilities
from generation.errors import GenerationError, RateLimited
from generation.job import Progress
from generation.prices import PriceLine
from generation.request import GenerationRequest, seed_after
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.client import BearerAuth, make_client
from net.rates import Rate, RateWindow
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.images import BadImage, preview
from utils.threads import run_in_thread

MAX_PREVIEWS: Final = 3
LARGEST_PIXELS: Final = 4096 * 4096
MAX_WAIT_S: Final = 5.0  # longer, and the lane pauses instead of the job


@dataclass
class _Run:
    """All that one job has brought so far."""

    images: list[GeneratedImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost_usd: float = 0.0
    is_priced: bool = True
    model: str = ""
    revised: str = ""

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class OpenAIImagesBackend:
    """One server.

    Options: `dialect`, `model`, `edit_model`, `quality`, `output_format`, `background`, `moderation`, `partial_images`,
    `organization`, `pause`, `paid`.
    """

    kind = NAME

    def __init__(
        self, config: BackendConfig, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        root = root_of(config.url or PUBLIC_URL)
        config = replace(config, url=root)
        self._dialect = _known_dialect(config)
        self._is_private = is_private(root)
        is_local = self._is_private and not config.key  # else it may charge, as long as it has not been asked
        self.is_paid = (
            self._charges(self._dialect) if self._dialect else is_on(self._options, "paid", default=not is_local)
        )
        client = make_client(config.endpoint, transport=transport, auth=BearerAuth(config.key) if config.key else None)
        organization = config.options.get("organization", "").strip()
        if organization:
            client.headers["OpenAI-Organization"] = organization
        self._client = Client(self._label, client, config.timeout_s)
        self._pictures = picture_client(config, transport=transport)
        self._costs = Costs(self._client, config.options, self._clock)
        self._facts: Facts | None = None
        self._window = self._pace(self._dialect)

    async def capabilities(self) -> Capabilities:
        """Ask for the models; the dialect follows from the address, a setting, or how they are listed.

        Raises:
            BackendAuthError: there is no key, or it is refused.
            BackendUnavailable: no answer.
            BackendError: another product, or a model that is set and not there.
        """
        path = (self._dialect or CLASSIC).models_path
        listed = (await self._client.models(path)).data
        dialect = self._dialect or dialect_of(listed)
        model, edit_model = (self._options.get(name, "").strip() for name in ("model", "edit_model"))
        facts = facts_of(self._label, dialect, listed, model, edit_model)
        if self._facts is None or self._facts.dialect is not dialect:
            self._window = self._pace(dialect)
        self._facts, self.is_paid = facts, self._charges(dialect)
        return to_capabilities(facts, previews=number_of(self._options, "partial_images", 0))

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn, in as many requests as the server needs.

        What is drawn and paid is kept where a later request fails.

        Raises:
            ContentBlocked: the filter refuses it, with its reason.
            CapabilityError, RequestRejected: the model cannot do that.
            RateLimited: too often.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, no answer, or no pictures in it.
        """
        if self._facts is None:
            await self.capabilities()
        facts = self._facts
        assert facts is not None
        run = _Run(model=facts.model_for(request.model, request.mode))
        await report(Progress(note=_("being drawn")))
        while (left := request.batch_size - len(run.images)) > 0:
            count = min(left, per_request(facts.dialect, facts, run.model, self._options))
            try:
                await self._draw(request, facts, count, run, report)
            except GenerationError as error:
                if not run.images:
                    raise
                run.say(error.user_message)  # how many came back is said where they are kept
                break
        return self._result(request, facts, run)

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars."""
        facts = self._facts
        return await self._costs.quote(request, facts) if facts and self.is_paid else None

    def prices(self) -> tuple[PriceLine, ...]:
        return self._costs.lines(self._facts)

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._client.aclose()

    async def _draw(
        self, request: GenerationRequest, facts: Facts, count: int, run: _Run, report: ProgressCallback
    ) -> None:
        """Send one request and add what it brings."""
        place = len(run.images)
        part = replace(request, batch_size=count, seed=seed_after(request.seed, place))
        order = await run_in_thread(to_order, part, facts, self._options, run.say, count)
        await self._wait()

        async def show(text: str, before: int) -> None:
            if data := await run_in_thread(_previewed, text):
                seen = min(before, MAX_PREVIEWS) + 1
                await report(Progress(fraction=seen / (MAX_PREVIEWS + 2), note=_("being drawn"), preview=data))

        try:
            drawn = await self._client.draw(order, show)
        except RateLimited as limited:
            if self._window:
                self._window.hold(limited.retry_after or 1.0)
            raise
        usd = await self._costs.spent(drawn.usage, order.model, part, facts) if self.is_paid else 0.0
        run.cost_usd += usd or 0.0
        run.is_priced = run.is_priced and usd is not None
        await self._keep(drawn, request, count, run)

    async def _keep(self, drawn: Drawn, request: GenerationRequest, count: int, run: _Run) -> None:
        """Add the pictures of an answer; one that cannot be fetched is said, unless it is all there is.

        Raises:
            BackendUnavailable, UnexpectedAnswer: none of them could be fetched.
        """
        failure: GenerationError | None = None
        pixels = max(request.width * request.height, LARGEST_PIXELS)  # some draw larger than they are asked to
        before = len(run.images)
        for item in [item for item in drawn.data if item.given][:count]:
            try:
                data = await picture(self._label, self._pictures, item.given, pixels)
            except GenerationError as error:
                failure = error
                continue
            run.images.append(GeneratedImage(data=data, seed=seed_after(request.seed, len(run.images))))
            if item.revised_prompt and item.revised_prompt != request.prompt:
                run.revised = item.revised_prompt
        if len(run.images) == before and failure:
            raise failure

    def _result(self, request: GenerationRequest, facts: Facts, run: _Run) -> GenerationResult:
        if end := facts.ends.get(run.model):
            run.say(_("{model} is there until {end}", model=run.model, end=end))
        if not run.is_priced:
            run.say(_("what it cost is not known"))
        return GenerationResult(
            images=tuple(run.images[: request.batch_size]),
            model=run.model,
            cost_usd=run.cost_usd,
            notes=tuple(run.notes),
            revised_prompt=run.revised,
            is_complete=len(run.images) >= request.batch_size,
        )

    async def _wait(self) -> None:
        """Keep the pause between two requests."""
        if self._window is None:
            return
        if (wait := self._window.wait_s()) > MAX_WAIT_S:
            raise RateLimited(
                _("{label} takes no more pictures now.", label=self._label), retry_after=wait, hint=_("Wait a little.")
            )
        await self._window.take()

    def _pace(self, dialect: Dialect | None) -> RateWindow | None:
        text = option_of(self._options, "pause")
        pause_s = float(text) if text else (dialect or CLASSIC).pause_s
        return RateWindow(self._clock, Rate(1, pause_s)) if pause_s else None

    def _charges(self, dialect: Dialect) -> bool:
        """Return whether pictures cost money; where nothing tells, those of a public server do."""
        usual = not self._is_private if dialect is CLASSIC else dialect.is_paid
        return is_on(self._options, "paid", default=usual)


def root_of(url: str) -> str:
    """Return a server's address without the paths of its API, however much of them was typed."""
    root = url.strip().rstrip("/")
    for end in KIND.cut:
        root = root.removesuffix(end)
    return root


def _known_dialect(config: BackendConfig) -> Dialect | None:
    """Return the dialect that is set, or that of the service at the address; None where the server has to be asked."""
    named = option_of(config.options, "dialect", AUTO)
    if named != AUTO:
        return DIALECTS[named]
    try:
        return dialect_at(urlsplit(config.url).hostname or "")
    except ValueError:  # told when it is probed, like every other fault of an address
        return None


def _previewed(text: str) -> bytes:
    """Return a preview that is small enough to be shown; none where it cannot be read."""
    try:
        return preview(base64.b64decode(text, validate=True))
    except (binascii.Error, BadImage, ValueError):
        return b""
