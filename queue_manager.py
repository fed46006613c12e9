"""The queue: takes jobs durably, starts them fairly, retries, moves, cancels and recovers them.

The table `jobs` is the truth; memory holds only indexes rebuilt from it at start. Every change of state is a guarded
update in the store: whoever gets the row back acts on it, everybody else drops what he has.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from backends.registry import BackendRegistry
from generation.errors import BackendAuthError, BackendGone, BackendUnavailable, GenerationError
from generation.job import Job, JobError, JobStatus, JobView, Progress
from generation.request import GenerationRequest
from scheduling.background import Background
from scheduling.checking import Screen
from scheduling.executor import Executor, Outcome, ResultSink
from scheduling.fair_queue import Served
from scheduling.job_log import log_job_event
from scheduling.lane import Lane, LaneSettings
from scheduling.lane import LaneView as LaneView
from scheduling.lanes import Lanes
from scheduling.limits import UNKNOWN_TURN_S, WAITING, Cooldown, check_places, patience_over, waited_too_long
from scheduling.outcomes import Outcomes
from scheduling.retry import RetryPolicy
from scheduling.storing import STORE_RETRIES_S
from scheduling.watchers import Watchers
from settings.queue import QueueSettings
from store.database import NothingThere, Write
from store.jobs import AskedBefore, JobStore, LanePace
from utils.clock import Clock, sleep_until
from utils.loops import Loops

log = logging.getLogger(__name__)

KNOWN_IDS_S = 2 * 86400.0  # longer than any engine remembers a job
SAVE_PACE_EVERY = 20  # finished jobs; a crash may cost a little of what was learned, never a job


class QueueManager:
    """One per process. Call `start` once, `stop` once."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        registry: BackendRegistry,
        executor: Executor,
        sink: ResultSink,
        clock: Clock,
        limits: QueueSettings | None = None,
        policy: RetryPolicy | None = None,
        loops: Loops | None = None,
        screen: Screen | None = None,
    ) -> None:
        self._jobs = jobs
        self._registry = registry
        self._executor = executor
        self._clock = clock
        self._limits = limits or QueueSettings()
        self._lanes = Lanes(clock, self._settings_of, patience_s=self._limits.patience_s)
        self._cooldown = Cooldown(clock, self._limits.cooldown_s)
        self._background = Background()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loops = loops or Loops(clock)
        self._claims: dict[str, asyncio.Task[None]] = {}  # by whose they are: starts on their way to the disk
        self._claims_from = 0.0  # monotonic seconds, after the store has failed
        self._finished = 0
        self.screen = screen
        self.watchers = Watchers(clock)
        self._outcomes = Outcomes(
            jobs=jobs,
            registry=registry,
            sink=sink,
            policy=replace(policy or RetryPolicy(), patience_s=self._limits.patience_s),
            lanes=self._lanes,
            watchers=self.watchers,
            clock=clock,
            wake=self._wake,
            stopping=self._stopping,
            screen=screen,
        )
        registry.on_change.append(self._engine_changed)

    async def start(self) -> None:
        """Take up everything the last process left, then dispatch."""
        for pace in await self._jobs.load_pace():
            self._lanes.load_pace(pace.lane, pace.model, pace.seconds_per_cost, pace.samples)
        running = await self._jobs.running()
        self._lanes.take_up(await self._jobs.line())
        for job in reversed(running):  # each goes in front of the line, so the oldest comes last
            if remote := await self._outcomes.recover(job):
                self._start(remote)
        self._loops.start("queue", self._dispatch, may_end=True)

    def use(self, limits: QueueSettings) -> None:
        """Hold requests to these limits from now on, those that wait too."""
        self._limits, self._cooldown.seconds, self._lanes.patience_s = limits, limits.cooldown_s, limits.patience_s
        self._outcomes.policy = replace(self._outcomes.policy, patience_s=limits.patience_s)
        self._wake.set()

    async def stop(self) -> None:
        """Start nothing more, give running jobs the grace period, leave the rest for the next start."""
        self._stopping.set()
        self._wake.set()
        await self._loops.finish("queue")
        await asyncio.gather(*self._claims.values(), return_exceptions=True)  # what is claimed still gets started
        await self._executor.stop(self._limits.grace_s)
        await self._background.finish()
        await self.watchers.aclose()
        await self._save_paces()

    async def submit(self, job: Job) -> JobView:
        """Commit one job; see `submit_all`."""
        self.reserve(job)
        return (await self.submit_all((job,)))[0]

    def reserve(self, job: Job) -> None:
        """Count a job as waiting that `submit_all` gets next: what is asked for at the same time must see it.

        Raises:
            LimitReached: the queue or the user's share of it is full.
        """
        self._check_places(job.user_key, job.lane, 1)
        self._lanes.reserve(job)

    def release(self, jobs: Iterable[Job]) -> None:
        """Give the places of jobs back that are not submitted after all."""
        for job in jobs:
            self._lanes.release(job.id)

    async def submit_all(self, jobs: Sequence[Job], also: Sequence[Write] = ()) -> list[JobView]:
        """Commit jobs that were asked for together, with what `also` writes, then say yes.

        Each has its place by `reserve`, or is done already (from the cache). Once begun, a caller that goes away does
        not stop it.
        """
        return await asyncio.shield(
            self._background.spawn(self._take_in(jobs, also), expects=(AskedBefore, NothingThere))
        )

    async def _take_in(self, jobs: Sequence[Job], also: Sequence[Write]) -> list[JobView]:
        try:
            await self._jobs.insert_all(jobs, also)
        except BaseException:
            self.release(jobs)
            raise
        for job in jobs:
            if not job.is_terminal:
                log_job_event(job, "submitted")
            self.watchers.publish(job)
            if self._lanes.is_waiting(job.id):  # it may have been cancelled while the commit ran
                self._lanes.enqueue(job)
                self._wake.set()
        return [self._lanes.view(job) for job in jobs]

    def check_limits(self, user_key: str, lane_name: str, more: int = 1) -> None:
        """Let in a request of `more` jobs that are submitted next; it starts the user's cooldown.

        Raises:
            LimitReached: the queue or the user's share of it is full, or the user asks too often.
        """
        self._check_places(user_key, lane_name, more)
        self._cooldown.check(user_key)

    def _check_places(self, user_key: str, lane_name: str, more: int) -> None:
        lane = self._lanes.get(lane_name)
        # about when the next place is free: one mean job of this lane
        turn_s = max(1.0 if lane.pace.is_learned else UNKNOWN_TURN_S, lane.wait_s() / max(1, len(lane.queue)))
        check_places(self._limits, self._lanes.waiting, self._lanes.waiting_of(user_key), more, turn_s)

    def let_in(self, user_key: str) -> None:
        """Let this user's next request in without a pause: an earlier process had it before the pause began."""
        self._cooldown.forget(user_key)

    async def cancel(self, job_id: str, why: JobError | None = None) -> Job | None:
        """Cancel a queued or running job; `None` if it had already ended. The row is written first."""
        job = await self._jobs.finish(job_id, JobStatus.CANCELLED, now=self._clock.now(), error=why)
        if job is None:
            return None
        log_job_event(job, "cancelled")
        self._lanes.withdraw(job)
        self.watchers.ring_queued([job.lane])
        self.watchers.publish(job)
        if job_id in self._lanes.running:
            self._background.spawn(self._let_go(job_id))
        return job

    def to_front(self, job_id: str) -> bool:
        """Draw a waiting job before its user's others in its lane; nobody else's turn moves.

        Memory only: a restart takes jobs up in the order they were asked for. False if there is nothing to move.
        """
        lane_name = self._lanes.to_front(job_id)
        if lane_name is None:
            return False
        self.watchers.ring_queued([lane_name])
        return True

    async def get(self, job_id: str) -> Job | None:
        return await self._jobs.get(job_id)

    async def view(self, job_id: str) -> JobView | None:
        job = await self._jobs.get(job_id)
        return self._lanes.view(job) if job else None

    def peek(self, job: Job) -> JobView:
        """Return how a job that was just read stands, from memory alone."""
        return self._lanes.view(job)

    def watch(self, job_id: str) -> AsyncGenerator[JobView, None]:
        """Yield the newest state now and after every change, coalesced; ends with the terminal one."""
        return self.watchers.watch(job_id, read=self._jobs.get, view=self._lanes.view)

    def set_stopped(self, lane_name: str, *, is_stopped: bool) -> None:
        """Let a lane start nothing more, or go on; what runs there is finished."""
        self._lanes.set_stopped(lane_name, is_stopped=is_stopped)
        self._wake.set()
        self.watchers.ring_queued([lane_name])

    def running(self) -> list[Job]:
        return [*self._lanes.running.values()]

    def next_in(self, lane_name: str, most: int) -> list[str]:
        return self._lanes.next_in(lane_name, most)

    def lanes(self) -> list[LaneView]:
        return self._lanes.views([entry.name for entry in self._registry])

    def wait_s(self, lane_name: str, model: str | None = None) -> float:
        """Expected seconds before a job submitted to this lane now would start."""
        return self._lanes.get(lane_name).wait_s(model)

    def run_s(self, lane_name: str, request: GenerationRequest) -> float | None:
        """Expected seconds a request takes on this lane once it runs; `None` until the first job has shown it."""
        pace = self._lanes.get(lane_name).pace
        return pace.seconds(request.model, request.cost) if pace.is_learned else None

    async def on_progress(self, job_id: str, progress: Progress) -> None:
        if progress.is_drawn:
            if self._lanes.drawn(job_id):
                self._wake.set()
        elif job := self._lanes.running.get(job_id):
            is_shown = self.screen is None or self.screen.may_preview(job)  # nobody has looked at a preview yet
            self._lanes.progress[job_id] = progress if is_shown else replace(progress, preview=None)
            self.watchers.ring(job_id)

    async def on_intent(self, job_id: str, intent: str) -> None:
        await self._jobs.set_intent(job_id, intent)

    async def known_ids(self, job_id: str) -> Collection[str]:
        """Return the ids that an engine gave to the other jobs of a running one's lane, of some days."""
        running = self._lanes.running.get(job_id)
        since = self._clock.now() - timedelta(seconds=KNOWN_IDS_S)
        return await self._jobs.remote_ids(running.lane, since) if running else ()

    async def on_remote_id(self, job_id: str, remote_id: str) -> None:
        await self._jobs.set_remote_id(job_id, remote_id)

    async def on_finished(self, job_id: str, outcome: Outcome) -> None:
        """Free the slot at once, so that the engine goes on while the pictures are stored."""
        if (ended := self._lanes.ended(job_id)) is None:
            return
        job, lane, run = ended
        seconds = self._clock.monotonic() - run.since
        if isinstance(outcome, GenerationError):
            lane.settling.add(job_id)  # nobody takes its slot before it is known whether it comes back
            self._judge(job, lane, outcome)
        else:
            lane.answered()
            lane.learn(run)
        self._wake.set()
        self.watchers.ring_queued([lane.name])  # what was learned of the engine concerns who waits for it
        await asyncio.wait({self._background.spawn(self._finish(job, outcome, seconds))})
        if job_id in lane.settling:
            lane.settling.discard(job_id)
            self._wake.set()

    def _judge(self, job: Job, lane: Lane, error: GenerationError) -> None:
        """Take in what a failure says about the engine, for everybody who waits for it."""
        if isinstance(error, BackendGone) and self._limits.patience_s and self._registry.get(lane.name):
            self._lanes.gone(job, error)
        elif pause_s := lane.judge(job.id, error):
            log.warning("lane paused", extra={"action": "lane_paused", "backend": lane.name, "seconds": pause_s})
        is_dead = BackendUnavailable if lane.is_down else BackendAuthError
        if isinstance(error, BackendAuthError | is_dead):
            self._registry.mark_down(lane.name, error)
        if lane.is_down and lane.queue:
            self._background.spawn(self._outcomes.drain_lane(lane, error))

    async def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                nearest = min(self._lanes.release_delayed(), await self._expire())
                # with a limit for all, the lane that was idle for longest has the next turn
                nearest = min([nearest, *map(self._fill, sorted(self._lanes, key=lambda lane: lane.used_at or 0.0))])
                self._lanes.drop_empty()
            except Exception:
                log.exception("could not start jobs", extra={"action": "job_failed"})
                nearest = STORE_RETRIES_S[0]
            await sleep_until(self._wake, self._clock, nearest)

    async def _expire(self) -> float:
        """Give up what has waited for too long; return the seconds until the next job has (inf = none)."""
        overdue, next_overdue = self._lanes.overdue(self._limits.max_wait_s)
        for job_id in overdue:
            await self._give_up(job_id, JobStatus.EXPIRED, waited_too_long(self._limits.max_wait_s))
        impatient, next_impatient = self._lanes.impatient()
        for job_id, error in impatient:
            await self._give_up(job_id, JobStatus.FAILED, patience_over(error, self._limits.patience_s))
        return min(next_overdue, next_impatient)

    async def _give_up(self, job_id: str, status: JobStatus, reason: JobError) -> None:
        finish = partial(self._jobs.finish, job_id, status, now=self._clock.now(), error=reason, allowed=WAITING)
        if job := await self._outcomes.stored(finish):
            self._lanes.withdraw(job)
            log_job_event(job, status.value, logging.WARNING)
            self.watchers.publish(job)

    def _fill(self, lane: Lane) -> float:
        """Claim what may start; return the seconds until more may (inf = when something happens)."""
        while lane.queue and not self._stopping.is_set():
            if 0 < self._limits.max_running <= len(self._lanes.running) + len(self._claims):
                break
            if (hold := max(lane.hold_s(), lane.slot_s(), self._claims_from - self._clock.monotonic())) > 0:
                return hold
            served = lane.take(self._lanes.users_at_limit(self._limits.max_running_per_user))
            if served is None:
                break
            if served.user_key in self._claims:  # how many of theirs may run is known when that one does
                self._lanes.put_back(lane, served)
                break
            lane.claiming[served.job_id] = served
            self._claims[served.user_key] = self._background.spawn(self._claim(lane, served))
        return float("inf")

    async def _claim(self, lane: Lane, served: Served) -> None:
        """Start a job once that is on the disk; starts that wait for it together share a commit."""
        try:
            job = await self._jobs.claim(served.job_id, lane=lane.name, now=self._clock.now())
        except Exception:
            log.exception("could not start a job", extra={"action": "job_failed"})
            self._claims_from = self._clock.monotonic() + STORE_RETRIES_S[0]
            self._lanes.put_back(lane, served)
            return
        finally:
            del lane.claiming[served.job_id], self._claims[served.user_key]
            self._wake.set()
        if self._lanes.release(served.job_id) and job is not None:
            lane.bucket.take()
            self._start(job)

    def _start(self, job: Job) -> None:
        self._lanes.started(job)
        self._executor.start(job, self)
        log_job_event(job, "started", attempt=job.attempt)
        self.watchers.publish(job)
        self.watchers.ring_queued([job.lane])

    async def _finish(self, job: Job, outcome: Outcome, seconds: float) -> None:
        if await self._outcomes.finish(job, outcome, seconds):
            self._finished += 1
            if self._finished % SAVE_PACE_EVERY == 0:
                await self._save_paces()

    async def _let_go(self, job_id: str) -> None:
        """Hold the slot of a cancelled job until its engine has stopped, then free it."""
        await self._executor.cancel(job_id)
        if ended := self._lanes.ended(job_id):
            ended[1].breaker.released(job_id)
        self._lanes.progress.pop(job_id, None)
        self._wake.set()

    async def _save_paces(self) -> None:
        try:
            for lane, model, seconds_per_cost, samples in self._lanes.take_unsaved_paces():
                pace = LanePace(lane=lane, model=model, seconds_per_cost=seconds_per_cost, samples=samples)
                await self._jobs.save_pace(pace)
        except Exception:
            log.exception("could not save the pace of a lane", extra={"action": "job_finished"})

    def _settings_of(self, name: str) -> LaneSettings | None:
        if (entry := self._registry.get(name)) is None:
            return None
        return LaneSettings(concurrency=entry.concurrency, rate_per_s=entry.rate_per_s, lines_up=entry.lines_up)

    def _engine_changed(self, name: str) -> None:
        entry = self._registry.get(name)
        is_up = entry is not None and entry.error is None
        was_away = self._lanes.refresh(name, is_up=is_up)
        self._wake.set()
        for lane in self._lanes if is_up else ():
            if lane.absence and lane.queue:
                leave = self._outcomes.drain_lane(lane, lane.absence.error, back=name if was_away else "")
                self._background.spawn(leave)
