"""Services that take a job for each picture and charge for it: begun, asked for, fetched, found again, taken back.

A job is begun without waiting for it, and the ids of those that are begun are kept before the next one leaves: whatever
happens to Easel, what was begun is fetched, and what may have been is never sent again by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import AliasChoices, BaseModel, Field

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
from backends.kinds import hosted_client
from backends.polling import BETWEEN, PolledState, Poller, PollPace, fetched
from backends.stored_pictures import picture_client
from generation.capabilities import Capabilities
from generation.errors import GenerationError
from generation.request import GenerationRequest, seed_after
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.answers import write_json
from net.calls import JSON, Calls, Refusal
from net.client import CONNECT_TIMEOUT_S
from texts.text import _
from utils.clock import Clock, SystemClock
from utils.threads import run_in_thread

TIMEOUT: Final = httpx.Timeout(30.0, connect=CONNECT_TIMEOUT_S)
CANCEL_WAIT_S: Final = 4.0
MAX_SEED: Final = 2**31 - 1

Say = Callable[[str], None]
Order = TypeVar("Order")  # all that one picture is begun with


class QueuedBackend(Generic[Order]):
    """One account. A service's own class says how a picture is begun, asked for and taken back, and what it costs."""

    kind: str
    is_paid = True
    can_find = True
    takes_back: ClassVar[bool] = True  # whether what was begun can be stopped there
    refusal: Refusal  # their refusals in our errors

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: PollPace | None = None,
        is_announced: bool = False,
    ) -> None:
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        config, self._http = hosted_client(config, transport)
        self._root = config.url
        self._calls = Calls(self._label, self._http, refusal=self.refusal, timeout=TIMEOUT)
        self._pictures = picture_client(config, transport=transport)
        self._poller = Poller(look=self._look, stop=self._stop, clock=self._clock, pace=pace, is_announced=is_announced)

    async def capabilities(self) -> Capabilities:
        raise NotImplementedError

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Have the pictures drawn; on cancellation take back what can be."""
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        """Begin a job for each picture; what is begun is kept where a later one fails.

        Raises:
            CapabilityError, RequestRejected: the model does not take that.
            RateLimited: too many at once.
            BackendError, BackendUnavailable, UnexpectedAnswer: no credit, or no answer.
        """
        notes, ids = list[str](), list[str]()
        orders = await self._ready(request, notes.append)
        since = self._clock.now()
        try:
            for order in orders:
                await sending(BETWEEN.join((since.isoformat(), *ids)))
                ids.append(await self.begin(order, since, is_first=not ids))
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
        """Return what was begun of a request before Easel was killed, None where nothing is known of it."""
        moment, *ids = intent.split(BETWEEN)
        since, notes = None, list[str]()
        with suppress(ValueError):
            since = datetime.fromisoformat(moment)
        ids += await self._search(request, len(ids), since, known, notes.append)
        if ids and len(ids) < request.batch_size:
            notes.append(_("Easel stopped while the others were sent: they are not sent again"))
        return self._poller.follow(ids, notes) if ids else None

    async def poll(self, remote_id: str) -> RemoteState:
        return await self._poller.poll(remote_id)

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures of jobs that have ended, and what they cost.

        Raises:
            ContentBlocked: the filter refused each of them.
            BackendError, RequestRejected: they failed.
            BackendUnavailable, UnexpectedAnswer: the pictures could not be fetched.
        """
        ends, notes = self._poller.ended(remote_id)
        model = await self._drawn_by(request)
        brought = await fetched(self._label, ends, request.width * request.height, self._client_for)
        cost = self._cost(request, model, ends)
        if cost is None:
            notes.append(_("what it cost is not known"))
        images = (GeneratedImage(data=data, seed=seed_of(request, place)) for place, _end, data in brought)
        return GenerationResult(
            images=tuple(images),
            model=model,
            cost_usd=cost or 0.0,
            notes=tuple(notes),
            is_complete=len(brought) >= request.batch_size,
        )

    async def cancel(self, remote_id: str) -> None:
        """Take jobs back, as far as the service does that; what has begun may be drawn and charged."""
        await self._poller.cancel(remote_id)

    async def quote(self, request: GenerationRequest) -> float | None:
        """Return what a request will cost in US dollars; None where nobody says."""
        usd = self._price(request)
        return None if usd is None else usd * request.batch_size

    async def aclose(self) -> None:
        await self._pictures.aclose()
        await self._calls.aclose()

    async def _ready(self, request: GenerationRequest, say: Say) -> Sequence[Order]:
        """Return what each picture is begun with; nothing of it is charged."""
        raise NotImplementedError

    async def _begin(self, order: Order) -> str:
        """Have one picture begun, and return its id."""
        raise NotImplementedError

    async def _look(self, id: str) -> PolledState:
        raise NotImplementedError

    async def _stop(self, id: str) -> None:
        """Take one job back; where a service has no call for that, it is drawn to its end and nobody fetches it."""

    async def _search(
        self, request: GenerationRequest, begun: int, since: datetime | None, known: KnownIds, say: Say
    ) -> list[str]:
        """Look for what was sent beyond the `begun` pictures whose ids are known; empty where there is no list."""
        return []

    async def _drawn_by(self, request: GenerationRequest) -> str:
        """Return the name of the model that draws a request."""
        raise NotImplementedError

    def _price(self, request: GenerationRequest) -> float | None:
        """Return what one picture costs."""
        raise NotImplementedError

    def _cost(self, request: GenerationRequest, model: str, ends: Sequence[PolledState]) -> float | None:
        """Return what was charged: what the answers say, else the price of each picture."""
        each = self._price(request)
        costs = [each if end.cost_usd is None else end.cost_usd for end in ends if end.files]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def _client_for(self, url: str) -> httpx.AsyncClient:
        """Return who may fetch a picture: never with our key, unless a service keeps it behind one."""
        return self._pictures

    async def begin(self, order: Order, since: datetime, *, is_first: bool) -> str:
        """Begin one picture; one that is cancelled while it is sent is taken back as soon as its id is there."""
        if not self.takes_back:
            return await self._begin(order)
        sending = asyncio.create_task(self._begin(order))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            with suppress(GenerationError, TimeoutError):
                async with asyncio.timeout(CANCEL_WAIT_S):
                    await self._stop(await sending)
            raise


@dataclass(frozen=True, kw_only=True)
class OnePicture:
    """One picture of a request; `say` takes remarks on it."""

    request: GenerationRequest
    say: Say


class BegunPicture(BaseModel):
    """A job that was accepted, and the address that is asked for it."""

    id: str = Field(
        min_length=1, max_length=100, pattern=r"^[\w.-]+$", validation_alias=AliasChoices("id", "request_id")
    )
    url: str = Field("", validation_alias=AliasChoices("polling_url", "response_url"))


class AddressedBackend(QueuedBackend[OnePicture]):
    """A service that answers a POST of JSON with an address to ask: the address is the job's id."""

    headers: ClassVar[dict[str, str]] = JSON
    domain: ClassVar[str] = ""  # where its key may go as well: ".example.com" is every host below that one

    async def _ready(self, request: GenerationRequest, say: Say) -> Sequence[OnePicture]:
        return [OnePicture(request=part, say=say) for part in parts_of(request)]

    async def _begin(self, order: OnePicture) -> str:
        path = self._path(order.request)
        content = await run_in_thread(lambda: write_json(self._body(order.request, order.say)))
        body = await self._calls.fetch("POST", path, content=content, headers=self.headers)
        begun = await self._calls.as_kind(BegunPicture, body, may_have_run=True)
        return begun.url if self._is_theirs(begun.url) else self._usual(path, begun.id)

    def _path(self, request: GenerationRequest) -> str:
        """Return where one picture is begun."""
        raise NotImplementedError

    def _body(self, request: GenerationRequest, say: Say) -> dict[str, Any]:
        """Return what is sent for one picture. Slow with pictures in it: called in a thread."""
        raise NotImplementedError

    def _usual(self, path: str, id: str) -> str:
        """Return the address of a job whose answer names none of theirs."""
        raise NotImplementedError

    @property
    def _asked_at(self) -> str:
        """Return where jobs are asked for."""
        return self._root

    def _is_theirs(self, url: str) -> bool:
        """Return whether our key may go to an address: to where we ask, and hosts of the service's own domain."""
        try:
            asked, own = urlsplit(url), urlsplit(self._asked_at)
            port = asked.port
        except ValueError:
            return False
        if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
            return " " not in url
        both = all(f".{place.hostname}".endswith(self.domain) for place in (asked, own)) and bool(self.domain)
        return both and asked.scheme == "https" and port in {None, 443} and " " not in url


def parts_of(request: GenerationRequest) -> list[GenerationRequest]:
    """Return a request for each picture, with the seed of its own."""
    return [replace(request, batch_size=1, seed=seed_of(request, place)) for place in range(request.batch_size)]


def seed_of(request: GenerationRequest, place: int) -> int:
    return seed_after(request.seed, place) % (MAX_SEED + 1)
