"""Follow, stop and recover one job of ours on a server that many people share.

Source: `/internal/progress` (knows our task id, exists only while the web UI runs) and `/sdapi/v1/progress` (tells
only how far whatever runs now is). `/interrupt` hits whatever runs now, whoever owns it, so it is sent only when
that is known to be ours; a job still waiting on the server cannot be taken back, only interrupted once it begins.
"""

import asyncio
import logging
import time
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from backends.a1111.pictures import decode_base64
from backends.base import ProgressCallback
from generation.errors import GenerationError
from generation.job import Progress
from lazy import dataclass
from net.answers import read_model
from net.calls import Calls
from texts.text import _
from utils.text import place_in
from utils.threads import run_in_thread

log = logging.getLogger(__name__)

_State = TypeVar("_State", bound=BaseModel)

POLL_TIMEOUT_S = 5.0
LEAST_REST_S = 2.0  # a rest that takes less may have been drawn between two polls
OWN_QUEUE = _("the engine’s own queue")
MAX_PROGRESS_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class A1111Pace:
    """Intervals and duration of asking; seconds."""

    poll_s: float = 0.7
    cancel_poll_s: float = 0.3
    cancel_wait_s: float = 4.0  # what a cancelled job waits for before it leaves the rest to the background
    verdict_s: float = 2.0  # for the question whether a finished job was interrupted
    unknown_s: float = 20.0  # a task the server has not heard of for so long never reached it
    recover_poll_s: float = 2.0
    recover_s: float = 120.0  # the minimum time to wait for a lost answer


class TaskState(BaseModel):
    """An answer of `/internal/progress`. `active` stays true after a failure, until the next job begins."""

    active: bool = False
    queued: bool = False
    completed: bool = False
    progress: float | None = None
    eta: float | None = None
    live_preview: str | None = None
    id_live_preview: int = -1
    textinfo: str | None = None

    @property
    def is_unknown(self) -> bool:
        return not (self.active or self.queued or self.completed)


class _ServerStep(BaseModel):
    """`interrupted` and `skipped` are set back when the next job begins, not when this one ends."""

    interrupted: bool = False
    skipped: bool = False
    job: str = ""
    job_count: int = 0
    job_timestamp: str = ""


class ServerState(BaseModel):
    """An answer of `/sdapi/v1/progress`: the job that runs now, whoever owns it."""

    progress: float = 0.0
    eta_relative: float | None = None
    state: _ServerStep = _ServerStep()
    current_image: str | None = None
    textinfo: str | None = None

    @property
    def is_idle(self) -> bool:
        return not self.state.job and self.state.job_count <= 0

    @property
    def is_stopped(self) -> bool:
        return self.state.interrupted or self.state.skipped


@dataclass
class Task:
    """One job of ours. `was_alone`: nothing ran when it was sent, so the first job to show is ours (no task ids)."""

    id: str
    steps: int
    has_id: bool
    was_sent: bool = False
    was_alone: bool = False
    started_as: str | None = None  # the `job_timestamp` under which it was first seen
    fraction: float = 0.0
    seen_preview: int = -1
    was_stopped: bool = False  # somebody pressed Interrupt or Skip while it ran
    first_seen: tuple[float, float] | None = None  # moment (monotonic seconds) and fraction, once it draws
    last_seen: tuple[float, float] = (0.0, 0.0)
    verdict: asyncio.Task[bool | None] | None = None  # whether it is whole, asked while its answer arrives

    def see(self, fraction: float, now: float) -> None:
        """Note how far it is; fractions never go back."""
        if fraction > self.fraction:
            self.fraction = min(1.0, fraction)
            self.first_seen = self.first_seen or (now, self.fraction)
            self.last_seen = (now, self.fraction)

    def came_too_soon(self, now: float) -> bool:
        """Return whether an answer that comes now cannot be whole: at its pace the rest would have taken far longer."""
        if self.first_seen is None or self.last_seen[1] <= self.first_seen[1]:
            return False
        (began, first), (seen, last) = self.first_seen, self.last_seen
        needed_s = (1 - last) * (seen - began) / (last - first)
        return needed_s > LEAST_REST_S and now - seen < needed_s / 2

    @property
    def stop_note(self) -> str:
        """Return what people should know of a picture that was stopped, with the last step seen."""
        step = round(self.fraction * self.steps)
        return _("stopped early at the engine") + (
            _(", {step} of {steps} steps", step=step, steps=self.steps) if 0 < step < self.steps else ""
        )

    def watch(self, server: ServerState) -> None:
        """Take in what the server says while this job is the one that runs."""
        self.started_as = self.started_as or server.state.job_timestamp
        self.see(server.progress, time.monotonic())
        self.was_stopped = self.was_stopped or server.is_stopped

    def owns(self, server: ServerState) -> bool:
        """Return whether what runs now is this job, on a server without task ids."""
        if not self.was_alone or server.is_idle:
            return False
        if self.started_as is None:
            self.started_as = server.state.job_timestamp
        return self.started_as == server.state.job_timestamp


class TaskWatch:
    """Asks one server about our tasks. Nothing here ever fails a job: an unread answer is no news."""

    def __init__(self, calls: Calls, pace: A1111Pace) -> None:
        self._calls = calls
        self._pace = pace

    async def task_state(self, task: Task, *, preview: bool = False) -> TaskState | None:
        ask = {"id_task": task.id, "id_live_preview": task.seen_preview, "live_preview": preview}
        body = await self.read("POST", "/internal/progress", ask)
        return None if body is None else _parse(TaskState, body)

    async def server_state(self, *, preview: bool = False) -> ServerState | None:
        skip = "false" if preview else "true"
        body = await self.read("GET", f"/sdapi/v1/progress?skip_current_image={skip}")
        return None if body is None else _parse(ServerState, body)

    async def report(self, task: Task, report: ProgressCallback) -> None:
        """Report how far the task is until cancelled; fractions never go back. What is done at once is not asked."""
        while True:
            await asyncio.sleep(self._pace.poll_s)
            try:
                progress = await (self._by_task(task) if task.has_id else self._by_server(task))
                if progress:
                    await report(progress)
            except Exception as error:  # a broken watcher of progress must not cost the picture
                log.debug("progress could not be reported: %r", error)

    async def drawn(self, task: Task, report: ProgressCallback) -> None:
        """Report that the task's answer begins, and ask meanwhile whether it is whole."""
        task.verdict = asyncio.create_task(self.is_whole(task))
        step = round(task.fraction * task.steps)
        try:
            await report(Progress(fraction=task.fraction, step=step, steps=task.steps, is_drawn=True))
        except Exception as error:
            log.debug("progress could not be reported: %r", error)

    async def _by_task(self, task: Task) -> Progress | None:
        state = await self.task_state(task, preview=True)
        if state is None or not (state.active or state.queued):
            return None
        if state.queued and not state.active:
            return Progress(fraction=task.fraction, note=_place(state.textinfo))
        if state.id_live_preview >= 0:
            task.seen_preview = state.id_live_preview
        await self._look_for_stop(task)
        return await self._progress(task, state.progress or 0.0, state.eta, state.live_preview, state.textinfo)

    async def _look_for_stop(self, task: Task) -> None:
        """Note an interruption of a task that runs: `/internal/progress` does not tell of one."""
        server = await self.server_state()
        if server is None or server.is_idle:
            return
        if task.started_as is None:  # the next job may have begun between the two answers
            state = await self.task_state(task)
            if state is None or not state.active:
                return
        elif server.state.job_timestamp != task.started_as:
            return
        task.watch(server)

    async def _by_server(self, task: Task) -> Progress | None:
        server = await self.server_state(preview=True)
        return None if server is None or not task.owns(server) else await self._of_server(task, server)

    async def running(self, task: Task) -> Progress | None:
        """Return how far whatever runs now is, where that is known to be the task."""
        server = await self.server_state(preview=True)
        return None if server is None or server.is_idle else await self._of_server(task, server)

    async def _of_server(self, task: Task, server: ServerState) -> Progress:
        task.watch(server)
        return await self._progress(task, server.progress, server.eta_relative, server.current_image, server.textinfo)

    async def _progress(
        self, task: Task, fraction: float, eta: float | None, picture: str | None, note: str | None
    ) -> Progress:
        task.see(fraction, time.monotonic())
        step = round(task.fraction * task.steps)
        preview = None
        if picture:
            try:
                preview = await run_in_thread(decode_base64, picture)
            except ValueError:
                preview = None
        return Progress(
            fraction=task.fraction,
            step=step,
            steps=task.steps,
            preview=preview,
            eta_s=eta if eta and step >= 2 else None,  # before the second step it is nonsense
            note=(note or "").strip() if note and "waiting" not in note.lower() else "",
        )

    async def stop(self, task: Task, limit_s: float) -> bool:
        """Interrupt the task once it runs, and only then; give up when it is over or after `limit_s`.

        Returns:
            Whether it was interrupted.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        unknown_until = loop.time() + self._pace.unknown_s
        while loop.time() < end:
            if task.has_id:
                state = await self.task_state(task)
                if state and state.active:
                    return await self.interrupt()
                if state and state.completed:
                    return False
                if state and state.queued:
                    unknown_until = loop.time() + self._pace.unknown_s
            else:
                server = await self.server_state()
                if server and task.owns(server):
                    return await self.interrupt()
                if server and task.started_as is not None:
                    return False
            if loop.time() > unknown_until:
                return False
            await asyncio.sleep(self._pace.cancel_poll_s)
        return False

    async def is_whole(self, task: Task) -> bool | None:
        """Return whether a job that has just answered was drawn to its end: the answer itself is the same either way.

        None where that cannot be known: another job has begun since, or the server does not say. An answer that came
        far too soon is then not taken for a whole one.
        """
        now = time.monotonic()
        if task.was_stopped:
            return False
        try:
            async with asyncio.timeout(self._pace.verdict_s):
                server = await self.server_state()
        except TimeoutError:
            server = None
        if server is None or not (server.is_idle or server.state.job_timestamp == task.started_as):
            return False if task.came_too_soon(now) else None
        task.was_stopped = server.is_stopped
        return not task.was_stopped

    async def interrupt(self) -> bool:
        return await self.read("POST", "/sdapi/v1/interrupt") is not None

    async def finish(self, task: Task, limit_s: float) -> bool:
        """Wait until a task whose answer was lost has ended on the server; say whether it has."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        unknown_until = loop.time() + self._pace.unknown_s
        idle = 0
        while loop.time() < end:
            state = await self.task_state(task)
            if state and state.completed:
                return True
            if state and not state.is_unknown:
                unknown_until = loop.time() + self._pace.unknown_s
            if state and state.active:
                server = await self.server_state()
                idle = idle + 1 if server and server.is_idle else 0
            if idle >= 3 or loop.time() > unknown_until:  # it failed, or is forgotten: only 16 ended ones are known
                return True
            await asyncio.sleep(self._pace.recover_poll_s)
        return False

    async def read(self, method: str, path: str, ask: object = None) -> bytes | None:
        """Return the body of a success, which may be empty; None is no news."""
        try:
            reply = await self._calls.call(method, path, limit=MAX_PROGRESS_BYTES, json=ask, timeout=POLL_TIMEOUT_S)
        except GenerationError as error:
            log.debug("no news from the engine: %s", error.detail)
            return None
        return reply.body if reply.is_success else None


def _parse(kind: type[_State], body: bytes) -> _State | None:
    try:
        return read_model(kind, body)
    except ValidationError:
        return None


def _place(textinfo: str | None) -> str:
    """Turn "In queue: 2/3" into words."""
    __, __, place = (textinfo or "").partition("In queue: ")
    number = place.split("/")[0]
    return place_in(OWN_QUEUE, int(number) if number.isdecimal() and len(number) < 6 else None)
