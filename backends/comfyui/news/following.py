"""A job that was sent, followed to its end: by the news of its source, and by asking over HTTP when that is due."""

from dataclasses import replace

from backends.base import RemoteState
from backends.comfyui.graphs.graph import Graph
from backends.comfyui.jobs.api import JobApi
from backends.comfyui.jobs.line import Line
from backends.comfyui.news.events import FrameReader
from backends.comfyui.news.watch import JobWatch
from generation.errors import BackendUnavailable, RateLimited
from generation.job import Progress
from lazy import dataclass
from texts.text import _
from utils.clock import Clock


@dataclass(frozen=True, kw_only=True)
class ComfyPace:
    """The intervals of asking, in seconds; tests make it quick."""

    poll_s: float = 1.0  # over HTTP where there is no live source, and how long to wait for news from one
    check_s: float = 5.0  # over HTTP where there is one: it may have gone silent
    report_s: float = 0.25  # between two reports of progress
    open_s: float = 2.0  # for the source to open before the job is sent without
    patience_s: float = 20.0  # for a proxy that hiccups while a job runs; a restart would have lost the job anyway
    backoff_s: float = 1.0
    accept_s: float = 3.0  # for an answer to a job that was cancelled while it was being sent


class Follower:
    """The jobs of one server that are under way."""

    def __init__(self, label: str, line: Line, pace: ComfyPace, clock: Clock) -> None:
        self._label = label
        self._line = line
        self._pace = pace
        self._clock = clock
        self._watches: dict[str, JobWatch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def watch(self, job_id: str, api: JobApi, graph: Graph | None = None) -> JobWatch:
        """Return what is known of a job, and listen to it from now on."""
        watch = self._watches.get(job_id)
        if watch is None:
            watch = JobWatch(FrameReader(job_id), api.source(job_id), self._pace.backoff_s)
            self._watches[job_id] = watch
        if graph is not None:
            watch.reader.know(graph)
        return watch

    def rename(self, old: str, new: str) -> None:
        """Let what was listened to be another job's: the server chose its id."""
        if old != new and old in self._watches:
            watch = self._watches.pop(old)
            watch.reader.prompt_id = new
            self._watches[new] = watch

    async def forget(self, job_id: str) -> None:
        watch = self._watches.pop(job_id, None)
        if watch:
            await watch.aclose()

    async def aclose(self) -> None:
        for job_id in tuple(self._watches):
            await self.forget(job_id)

    async def poll(self, job_id: str) -> RemoteState:
        """Wait a moment for news of a job, and ask for it over HTTP when that is due.

        Raises:
            BackendUnavailable: it is gone, or the server has been away for too long.
        """
        watch = self.watch(job_id, await self._line.settled())
        if watch.is_connected and not watch.reader.is_over:
            await watch.wait_for_news(self._pace.poll_s)
            await watch.wait_for_end(self._pace.report_s)  # reports are rationed, the end is not
        if watch.reader.is_over and not watch.is_end_told:
            watch.is_end_told = True  # at once: its history and pictures are asked for while the next job is drawn
            return RemoteState(is_finished=False, progress=replace(watch.progress, is_drawn=True), poll_after_s=0.0)
        now = self._clock.monotonic()
        is_live = watch.is_connected and not watch.reader.is_over
        if is_live and now - watch.asked_at < self._pace.check_s:
            return RemoteState(is_finished=False, progress=watch.progress, poll_after_s=0.0)
        watch.asked_at = now
        try:
            state = await self._look(job_id, watch)
        except BackendUnavailable:
            await self.forget(job_id)
            raise
        if state.is_finished:
            await self.forget(job_id)
        return state

    def lost(self) -> BackendUnavailable:
        return BackendUnavailable(
            _("{label} does not know this job any more.", label=self._label),
            retry_after=0.0,  # it keeps its turn: those behind it must not overtake it
            hint=_("It was restarted, or its queue was cleared. Run it again."),
            may_have_run=True,
        )

    async def _look(self, job_id: str, watch: JobWatch) -> RemoteState:
        now = self._clock.monotonic()
        try:
            standing = await self._line.ask(lambda api: api.standing(job_id))
        except RateLimited as error:
            return self._running(watch, watch.progress, error.retry_after)
        except BackendUnavailable as error:
            watch.answered_at = now if watch.answered_at is None else watch.answered_at
            if now - watch.answered_at > self._pace.patience_s:
                raise
            note = _("the engine does not answer just now")
            return self._running(watch, replace(watch.progress, note=note), error.retry_after)
        watch.answered_at = now
        if standing is None:
            # Once may be the moment between running and finished; twice is a restart, or somebody cleared the queue.
            watch.missing += 1
            if watch.missing > 1:
                raise self.lost()
            return RemoteState(is_finished=False, progress=watch.progress, poll_after_s=self._pace.report_s)
        watch.missing = 0
        if standing.is_finished:
            return RemoteState(is_finished=True, progress=replace(watch.progress, is_drawn=True))
        is_waiting = not standing.is_running and standing.ahead
        watch.place = _("{ahead} ahead of it in the engine’s own queue", ahead=standing.ahead) if is_waiting else ""
        if standing.graph:
            watch.reader.know(standing.graph)
        return self._running(watch, watch.progress)

    def _running(self, watch: JobWatch, progress: Progress, after_s: float | None = None) -> RemoteState:
        # a live source is listened to by `poll` itself; after its last word the end follows within a moment
        is_told = watch.is_connected or watch.reader.is_over
        pause = self._pace.report_s if is_told else self._pace.poll_s
        return RemoteState(is_finished=False, progress=progress, poll_after_s=max(pause, after_s or 0.0))
