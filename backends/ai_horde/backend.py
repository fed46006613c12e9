"""AI Horde (`/v2`): a job is submitted, watched and fetched by its id, drawn by whichever volunteer's worker takes it.

Source: AI Horde 5.1.5, its `/api/swagger.json` and recorded exchanges (`tests/data/horde`). Whoever knows a job's id
may read and cancel it, so ids are never shown.
"""

import asyncio
import logging
import math
import random
from dataclasses import field, replace
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel

from backends.ai_horde import search
from backends.ai_horde.answers import Generation, HordeCheck, HordeStatus, Submitted, notes_of
from backends.ai_horde.errors import Call, JobForgotten, dropped, end_of, impossible, translate_failure
from backends.ai_horde.facts import API, HordeFacts, HordeProbe, root_of, to_capabilities
from backends.ai_horde.kind import ANONYMOUS_KEY, NAME, PUBLIC_URL
from backends.ai_horde.payload import check_options, to_payload
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
from backends.stored_pictures import picture, picture_client
from constants import APP_NAME, VERSION
from generation.capabilities import Capabilities
from generation.errors import (
    BackendError,
    BackendUnavailable,
    GenerationError,
    RateLimited,
    UnexpectedAnswer,
)
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from net.answers import write_json
from net.calls import JSON, Calls, read_as
from net.client import CONNECT_TIMEOUT_S, make_client
from net.rates import Rate, RateWindow
from texts.text import _, joined
from utils.clock import Clock, SystemClock
from utils.text import place_in
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

SUBMIT_RATES: Final = (Rate(2, 1.0), Rate(90, 60.0))  # per address, dry runs and refusals included
CHECK_RATES: Final = (Rate(10, 1.0),)  # published for each job; kept for all of them together
STATUS_RATES: Final = (Rate(10, 60.0),)  # for each job
LIST_RATES: Final = (Rate(30, 60.0),)  # of `/status/modes`; the other lists allow 90
MAX_SUBMIT_WAIT_S: Final = 5.0  # longer, and the lane pauses instead of the job
MAX_ANSWER_BYTES: Final = 2 * 1024 * 1024
MAX_STATUS_BYTES: Final = 64 * 1024 * 1024  # a server without a picture store sends them all inside
TIMEOUT: Final = httpx.Timeout(30.0, connect=CONNECT_TIMEOUT_S)
IMPOSSIBLE_POLLS: Final = 3  # a worker may be restarting
DEAD_POLLS: Final = 2
MAX_LOST_POLLS: Final = 6
MAX_LOST_FETCHES: Final = 2
CANCEL_WAIT_S: Final = 4.0

_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class HordePace:
    """Intervals between questions about a job; seconds. `far_s` is for one that many others are waiting before."""

    near_s: float = 1.6
    far_s: float = 5.0
    far_position: int = 20


@dataclass
class _Seen:
    """The memory of a job between two polls; lost at a restart, and not missed then."""

    kudos: float = 0.0  # announced for all pictures; 0 = not known
    model: str = ""
    notes: list[str] = field(default_factory=list)
    fraction: float = 0.0
    impossible: int = 0
    dead: int = 0
    lost: int = 0


class AiHordeBackend:
    """One Horde.

    `key` may be empty: anonymous, last in line. Options: `model`, `post_processing`, `workers`, `nsfw`, `censor_nsfw`,
    `trusted_workers`, `slow_workers`, `replacement_filter`, `allow_downgrade`, `r2`, `contact`.
    """

    kind = NAME
    is_paid = False  # kudos are no money: a request may be sent again

    def __init__(
        self,
        config: BackendConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: HordePace | None = None,
    ) -> None:
        check_options(config.options)
        self.name = config.name
        self._label = config.label or config.name
        self._options = config.options
        self._clock = clock or SystemClock()
        self._pace = pace or HordePace()
        self._misplaced: BackendError | None = None
        try:
            root = root_of(self._label, config.url or PUBLIC_URL)
        except BackendError as error:  # told when it is probed, like every other fault of an address
            self._misplaced, root = error, config.url
        config = replace(config, url=root)
        client = make_client(config.endpoint, transport=transport)
        contact = config.options.get("contact", "").replace(":", " ").strip() or "unknown"
        client.headers["Client-Agent"] = f"{APP_NAME}:{VERSION}:{contact}"
        self._key = {"apikey": config.key or ANONYMOUS_KEY}
        client.headers.update(self._key)
        self._calls = Calls(self._label, client)
        self._pictures = picture_client(config, transport=transport)
        self._submits = RateWindow(self._clock, *SUBMIT_RATES)
        self._checks = RateWindow(self._clock, *CHECK_RATES)
        self._statuses = RateWindow(self._clock, *STATUS_RATES)
        self._deletes = RateWindow(self._clock, *STATUS_RATES)
        is_anonymous = self._key["apikey"] == ANONYMOUS_KEY
        self.can_find = not is_anonymous
        lists = RateWindow(self._clock, *LIST_RATES)
        self._probe = HordeProbe(self._calls, lists, is_anonymous=is_anonymous)
        self._facts: HordeFacts | None = None
        self._seen: dict[str, _Seen] = {}
        self._leftovers: set[asyncio.Task[None]] = set()

    async def capabilities(self) -> Capabilities:
        """Ask for models, maintenance and our account.

        Raises:
            BackendAuthError: the key is not known there.
            BackendUnavailable: no answer, maintenance, or no worker.
            BackendError: another product, such as the AI Power Grid's present API.
        """
        if self._misplaced:
            raise self._misplaced
        self._facts = await self._probe.facts()
        return to_capabilities(self._facts)

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Submit one job and follow it to its end; on cancellation take it back.

        Raises:
            CapabilityError: no worker can draw it, or it needs more kudos than there are.
            ContentBlocked: the prompt or every picture was held back.
            RateLimited: too many jobs, or too often.
            BackendError, BackendUnavailable, UnexpectedAnswer: see `poll` and `fetch`.
        """
        remote_id = await self.start(request)
        return await follow(self, remote_id, request, report, self._clock)

    async def start(self, request: GenerationRequest, sending: Sending = unnoted) -> str:
        """Submit one job and return its id; told before is its seed, which is all that it can be known by.

        Raises:
            GenerationError: what the server says of the request; `RateLimited` where its rates are used up.
        """
        if self._facts is None:
            await self.capabilities()
        assert self._facts is not None
        seen = _Seen()
        payload = await run_in_thread(to_payload, request, self._facts, self._options, seen.notes.append)
        content = await run_in_thread(write_json, payload)
        seen.model = payload["models"][0]
        wait = self._submits.wait_s()
        if wait > MAX_SUBMIT_WAIT_S:
            raise RateLimited(
                _("{label} takes no more jobs this minute.", label=self._label),
                retry_after=wait,
                hint=_("Wait a little."),
            )
        await self._submits.take()
        await sending(str(request.seed))
        submission = asyncio.create_task(self._submit(content))
        try:
            submitted = await asyncio.shield(submission)
        except asyncio.CancelledError:
            await self._take_back(submission)
            raise
        seen.kudos = submitted.kudos * request.batch_size
        self._seen[submitted.id] = seen
        return submitted.id

    async def find(self, intent: str, request: GenerationRequest, known: KnownIds) -> str | None:
        """Look among the account's jobs for one with this request's seed; see `search`."""
        own = await self._probe.own_jobs()
        while remote_id := await search.find(self, own, request, known, self._clock, self._pace.near_s):
            if remote_id not in self._seen:  # else another one that is looked for has it
                self._seen[remote_id] = _Seen()
                return remote_id
            own.remove(remote_id)
        return None

    async def check(self, remote_id: str) -> HordeCheck:
        """Ask how a job stands."""
        await self._checks.take()
        return self._read(HordeCheck, await self._ask("GET", f"{API}/generate/check/{remote_id}", Call.JOB))

    async def poll(self, remote_id: str) -> RemoteState:
        """Return how a job stands; a few unanswered questions in a row are no failure of it.

        Raises:
            CapabilityError: no worker can draw it. It is taken back.
            BackendUnavailable: it has expired, maintenance threw it out, or the server is gone.
        """
        seen = self._seen.setdefault(remote_id, _Seen())
        try:
            check = await self.check(remote_id)
        except RateLimited as limited:
            wait = limited.retry_after or 1.0
            self._checks.hold(wait)
            return RemoteState(is_finished=False, progress=Progress(fraction=seen.fraction), poll_after_s=wait)
        except (BackendUnavailable, UnexpectedAnswer) as error:
            seen.lost += 1
            if seen.lost > MAX_LOST_POLLS or isinstance(error, JobForgotten):
                self._seen.pop(remote_id, None)
                raise
            pause = min(10.0, self._pace.near_s * 2.0**seen.lost)
            return RemoteState(is_finished=False, progress=Progress(fraction=seen.fraction), poll_after_s=pause)
        seen.lost = 0
        await self._give_up_if_hopeless(remote_id, check, seen)
        return RemoteState(
            is_finished=check.done or check.faulted,
            progress=_progress(check, seen),
            poll_after_s=self._next_poll_s(check),
        )

    async def fetch(self, remote_id: str, request: GenerationRequest) -> GenerationResult:
        """Return the pictures of a job that has ended, with what they cost in the notes.

        Raises:
            ContentBlocked: the workers' filter held all of them back.
            BackendError: the workers failed, or the job was taken back.
            BackendUnavailable, UnexpectedAnswer: the pictures could not be fetched.
        """
        status = await self.status(remote_id)
        seen = self._seen.pop(remote_id, None) or _Seen()
        if error := end_of(self._label, status, request):
            raise error
        shown = sorted(
            (generation for generation in status.generations if generation.img and not generation.censored), key=_order
        )
        pixels = math.prod(request.result_size)
        files, kudos = await asyncio.gather(
            asyncio.gather(
                *(picture(self._label, self._pictures, item.img, pixels) for item in shown), return_exceptions=True
            ),
            self._kudos_left(),
        )
        images = tuple(
            GeneratedImage(data=data, seed=item.seed_or(request.seed + place))
            for place, (item, data) in enumerate(zip(shown, files, strict=True))
            if isinstance(data, bytes)
        )
        failures = [failure for failure in files if isinstance(failure, BaseException)]
        if failures and not images:
            raise failures[0]
        notes = [*seen.notes, *(lacking := notes_of(status, request))]
        if failures:
            notes.append(
                _("{count} of {batch_size} could not be fetched", count=len(failures), batch_size=request.batch_size)
            )
        notes.append(
            _("{kudos:.0f} kudos", kudos=status.kudos) + ("" if kudos is None else _(", {kudos:.0f} left", kudos=kudos))
        )
        is_whole = not (lacking or failures)
        return GenerationResult(images=images, model=shown[0].model or None, notes=tuple(notes), is_complete=is_whole)

    async def cancel(self, remote_id: str) -> None:
        """Take a job back. One that a worker has begun is drawn all the same; nobody fetches it."""
        self._seen.pop(remote_id, None)
        await self._deletes.take(remote_id)
        await self._ask("DELETE", f"{API}/generate/status/{remote_id}", Call.JOB)

    async def aclose(self) -> None:
        for task in tuple(self._leftovers):
            task.cancel()
        await asyncio.gather(*self._leftovers, return_exceptions=True)
        await self._pictures.aclose()
        await self._calls.aclose()

    async def _submit(self, content: bytes) -> Submitted:
        try:
            return self._read(Submitted, await self._ask("POST", f"{API}/generate/async", Call.SUBMIT, content))
        except RateLimited as limited:
            self._submits.hold(limited.retry_after or 1.0)
            raise

    async def status(self, remote_id: str) -> HordeStatus:
        """Ask for the pictures. They are drawn: a question lost on the way is asked again, not the job."""
        lost = 0
        while True:
            await self._statuses.take(remote_id)
            try:
                return self._read(HordeStatus, await self._ask("GET", f"{API}/generate/status/{remote_id}", Call.JOB))
            except RateLimited as limited:
                self._statuses.hold(limited.retry_after or 1.0, remote_id)
            except (BackendUnavailable, UnexpectedAnswer) as error:
                lost += 1
                if lost > MAX_LOST_FETCHES or isinstance(error, JobForgotten):
                    raise
                self._statuses.hold(self._pace.near_s, remote_id)

    async def _ask(self, method: str, path: str, call: Call, content: bytes | None = None) -> bytes:
        limit = MAX_STATUS_BYTES if "/status/" in path else MAX_ANSWER_BYTES
        headers = JSON if content else {}
        reply = await self._calls.call(method, path, limit=limit, content=content, headers=headers, timeout=TIMEOUT)
        if reply.is_success and not reply.is_page:
            return reply.body
        raise translate_failure(self._label, reply, call)

    def _read(self, kind: type[_Answer], body: bytes) -> _Answer:
        return read_as(self._label, kind, body, may_have_run=True)

    async def _give_up_if_hopeless(self, remote_id: str, check: HordeCheck, seen: _Seen) -> None:
        is_stuck = not check.is_possible and check.waiting > 0 and not (check.processing or check.finished)
        seen.impossible = seen.impossible + 1 if is_stuck else 0
        seen.dead = seen.dead + 1 if check.is_dead else 0
        if seen.dead >= DEAD_POLLS:
            self._seen.pop(remote_id, None)
            raise dropped(self._label)
        if seen.impossible >= IMPOSSIBLE_POLLS:
            model = seen.model
            await stop_remote(self, remote_id)
            raise impossible(self._label, model)

    def _next_poll_s(self, check: HordeCheck) -> float:
        share = min(1.0, check.queue_position / self._pace.far_position)
        pause = self._pace.near_s + (self._pace.far_s - self._pace.near_s) * share
        return pause * random.uniform(0.9, 1.1)  # so that jobs begun together do not ask together for ever

    async def _kudos_left(self) -> float | None:
        try:
            return await self._probe.kudos()
        except GenerationError:  # the pictures are there: what is left on the account may stay unsaid
            return None

    async def _take_back(self, submission: asyncio.Task[Submitted]) -> None:
        """Cancel a job whose submission is under way; after a few seconds the background goes on with that."""
        task = asyncio.create_task(self._cancel_submitted(submission))
        self._leftovers.add(task)
        task.add_done_callback(self._leftovers.discard)
        await asyncio.wait([task], timeout=CANCEL_WAIT_S)

    async def _cancel_submitted(self, submission: asyncio.Task[Submitted]) -> None:
        try:
            submitted = await submission
        except GenerationError:
            return
        await stop_remote(self, submitted.id)


def _progress(check: HordeCheck, seen: _Seen) -> Progress:
    """Workers tell nothing of their steps: a picture being drawn counts half."""
    whole = check.finished + check.processing + check.waiting
    if whole:
        seen.fraction = max(seen.fraction, min(1.0, (check.finished + check.processing / 2) / whole))
    words = []
    if check.processing:
        words.append(_("being drawn") + (_(", again") if check.restarted else ""))
    elif check.queue_position:
        words.append(place_in(_("the Horde’s queue"), check.queue_position))
    elif not check.finished:
        words.append(_("waiting for a worker"))
    if not check.is_possible and check.waiting:
        words.append(_("no worker can draw this now"))
    if seen.kudos:
        words.append(_("about {kudos:.0f} kudos", kudos=seen.kudos))
    return Progress(fraction=seen.fraction, eta_s=check.wait_time or None, note=joined(" · ", words))


def _order(generation: Generation) -> tuple[int, int]:
    return generation.place, generation.seed_or(0)
