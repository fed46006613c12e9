"""Services that take a job and are asked for it by its id until it has ended: the asking, the same for all of them.

One job of ours may be several of theirs, one a picture; their ids are kept together as one. An announcement (a webhook)
only has it asked for sooner: what it says is not trusted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import Final

import httpx

from backends.base import RemoteState
from backends.stored_pictures import picture
from generation.errors import BackendError, BackendUnavailable, GenerationError, RateLimited, UnexpectedAnswer
from generation.job import Progress
from lazy import dataclass
from texts.text import _
from utils.clock import Clock, sleep_until

MAX_LOST_POLLS: Final = 6
BETWEEN: Final = " "  # between the ids of several jobs that are one of ours
GROWTH: Final = 1.25
Look = Callable[[str], Awaitable["PolledState"]]
Stop = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class PolledState:
    """The state of one job of theirs.

    `files` is what it drew, as URLs or as data; `error` why it drew nothing. `seconds` are of a machine's time, where
    that is what is charged; `cost_usd`: where it tells what it took.
    """

    is_finished: bool = False
    fraction: float = 0.0
    note: str = ""
    files: tuple[str, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    cost_usd: float | None = None
    error: GenerationError | None = None


@dataclass(frozen=True, kw_only=True)
class PollPace:
    """Seconds between two questions: `near_s` at first, up to `far_s` later; `announced_s` where it tells us."""

    near_s: float = 1.0
    far_s: float = 5.0
    announced_s: float = 15.0


class RemoteForgotten(BackendError):
    """The service no longer knows the job."""


@dataclass
class _Followed:
    """The memory of one job of ours between two polls; lost at a restart, and not missed then."""

    wait_s: float
    notes: tuple[str, ...] = ()
    ends: dict[str, PolledState] = field(default_factory=dict)
    fractions: dict[str, float] = field(default_factory=dict)
    fraction: float = 0.0
    note: str = ""
    lost: int = 0
    is_asked: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Poller:
    """Asks for jobs. `look` asks for one of theirs, `stop` takes it back; `is_announced`: they tell us."""

    def __init__(
        self, *, look: Look, stop: Stop, clock: Clock, pace: PollPace | None = None, is_announced: bool = False
    ) -> None:
        self._look = look
        self._stop = stop
        self._clock = clock
        self._pace = pace or PollPace()
        self._is_announced = is_announced
        self._followed: dict[str, _Followed] = {}

    def follow(self, ids: Sequence[str], notes: Sequence[str] = ()) -> str:
        """Take up what was begun; return the one id of all of it."""
        remote_id = BETWEEN.join(ids)
        self._followed[remote_id] = _Followed(wait_s=self._pace.near_s, notes=tuple(notes))
        return remote_id

    def announce(self, id: str) -> bool:
        """Have a job asked for now, if it is one that is followed."""
        for remote_id, followed in self._followed.items():
            if id in remote_id.split(BETWEEN):
                followed.news.set()
                return True
        return False

    async def poll(self, remote_id: str) -> RemoteState:
        """Return how a job stands; a few unanswered questions in a row are no failure of it.

        Raises:
            GenerationError: it does not answer for long, refuses the key, or has forgotten the job.
        """
        followed = self._followed.setdefault(remote_id, _Followed(wait_s=self._pace.near_s))
        if self._is_announced and followed.is_asked:
            await sleep_until(followed.news, self._clock, self._pace.announced_s)
            followed.news.clear()
        followed.is_asked = True
        try:
            await self._ask(remote_id, followed)
        except RateLimited as limited:
            return self._state(followed, limited.retry_after or self._pace.far_s)
        except (BackendUnavailable, UnexpectedAnswer) as error:
            followed.lost += 1
            if followed.lost > MAX_LOST_POLLS:
                self._followed.pop(remote_id, None)
                error.may_have_run = True
                raise
            return self._state(followed, min(10.0, self._pace.near_s * 2.0**followed.lost))
        except GenerationError:
            self._followed.pop(remote_id, None)
            raise
        followed.lost = 0
        wait_s = followed.wait_s
        followed.wait_s = min(self._pace.far_s, wait_s * GROWTH)
        return self._state(followed, 0.0 if self._is_announced else wait_s, len(remote_id.split(BETWEEN)))

    def ended(self, remote_id: str) -> tuple[list[PolledState], list[str]]:
        """Return what became of each part of a job that has ended, in their order, and the remarks on it.

        Raises:
            GenerationError: no part of it drew anything; the first one's reason.
        """
        followed = self._followed.pop(remote_id, None) or _Followed(wait_s=0.0)
        ends = [followed.ends.get(id, PolledState(is_finished=True)) for id in remote_id.split(BETWEEN)]
        failed = [end.error for end in ends if end.error]
        if failed and not any(end.files for end in ends):
            raise failed[0]
        notes = [*followed.notes, *(error.user_message for error in failed)]
        return ends, list(dict.fromkeys(notes))

    async def cancel(self, remote_id: str) -> None:
        """Take back all parts of a job that have not ended."""
        followed = self._followed.pop(remote_id, None)
        ended = followed.ends if followed else {}
        left = [id for id in remote_id.split(BETWEEN) if id not in ended]
        failures = await asyncio.gather(*map(self._stop, left), return_exceptions=True)
        for failure in failures:
            if isinstance(failure, BaseException):
                raise failure

    async def _ask(self, remote_id: str, followed: _Followed) -> None:
        ids = remote_id.split(BETWEEN)
        for id in ids:
            if id in followed.ends:
                continue
            state = await self._look(id)
            if state.is_finished:
                followed.ends[id] = state
            followed.fractions[id] = 1.0 if state.is_finished else state.fraction
            followed.note = state.note or followed.note
        followed.fraction = max(followed.fraction, min(1.0, sum(followed.fractions.values()) / len(ids)))

    def _state(self, followed: _Followed, wait_s: float, parts: int = 0) -> RemoteState:
        progress = Progress(fraction=followed.fraction, note=followed.note or _("waiting for a machine"))
        is_finished = 0 < parts <= len(followed.ends)
        return RemoteState(is_finished=is_finished, progress=progress, poll_after_s=wait_s)


async def fetched(
    label: str, ends: Sequence[PolledState], pixels: int, client_of: Callable[[str], httpx.AsyncClient]
) -> list[tuple[int, PolledState, bytes]]:
    """Return the first file of each part, with its place; one that cannot be fetched is left out unless all are.

    Args:
        label: the engine's name as people see it.
        ends: what became of each part.
        pixels: of a picture before upscaling; bounds the download.
        client_of: which client may fetch an address.

    Raises:
        BackendUnavailable, UnexpectedAnswer: none of them could be fetched, or there is none.
    """
    there = [(place, end) for place, end in enumerate(ends) if end.files]
    if not there:
        raise UnexpectedAnswer(_("{label} answered without a picture.", label=label), may_have_run=True)
    gets = (picture(label, client_of(end.files[0]), end.files[0], pixels) for _place, end in there)
    files = await asyncio.gather(*gets, return_exceptions=True)
    brought = [(place, end, data) for (place, end), data in zip(there, files, strict=True) if isinstance(data, bytes)]
    if not brought:
        failure = next(data for data in files if isinstance(data, BaseException))
        raise failure
    return brought


def ended_with(error: GenerationError) -> PolledState:
    """Return the end of a job that drew nothing."""
    return PolledState(is_finished=True, error=error)
