"""Jobs as asyncio tasks in this process."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager

from backends.base import Backend
from generation.errors import BackendError
from generation.job import Job, Progress
from scheduling.executor import LoadSource, LoadWorkflow, Outcome, RunEvents, load_no_workflow, run_job
from texts.text import _
from utils.clock import Clock


class LocalExecutor:
    """One task per running job. `borrow` holds the backend of a lane for one run, `None` if it is gone."""

    def __init__(
        self,
        borrow: Callable[[str], AbstractAsyncContextManager[Backend | None]],
        *,
        load: LoadSource,
        load_workflow: LoadWorkflow = load_no_workflow,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._borrow = borrow
        self._load = load
        self._load_workflow = load_workflow
        self._timeout_s = timeout_s
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False

    def start(self, job: Job, events: RunEvents) -> None:
        task = asyncio.create_task(self._run(job, events), name=f"job {job.short_id}")  # no text: a task
        self._tasks[job.id] = task
        task.add_done_callback(lambda ended: self._forget(job.id, ended))

    async def cancel(self, job_id: str) -> None:
        if task := self._tasks.get(job_id):
            task.cancel()
            await asyncio.wait({task})

    async def stop(self, grace_s: float) -> None:
        self._is_stopping = True
        if not self._tasks:
            return
        __, left = await asyncio.wait(set(self._tasks.values()), timeout=grace_s)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def _run(self, job: Job, events: RunEvents) -> None:
        async def report(progress: Progress) -> None:
            await events.on_progress(job.id, progress)

        async def on_intent(intent: str) -> None:
            await events.on_intent(job.id, intent)

        async def known_ids() -> Collection[str]:
            return await events.known_ids(job.id)

        async def on_remote_id(remote_id: str) -> None:
            await events.on_remote_id(job.id, remote_id)

        async with self._borrow(job.lane) as backend:
            if backend is None:
                outcome: Outcome = BackendError(_("That engine is no longer connected."))
            else:
                outcome = await run_job(
                    job,
                    backend,
                    timeout_s=self._timeout_s,
                    load=self._load,
                    load_workflow=self._load_workflow,
                    report=report,
                    on_intent=on_intent,
                    on_remote_id=on_remote_id,
                    known_ids=known_ids,
                    leaves_remote=lambda: self._is_stopping,
                    clock=self._clock,
                )
        # the outcome is known: even a stop that comes now must not lose it
        await asyncio.shield(asyncio.ensure_future(events.on_finished(job.id, outcome)))

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        # a job that is retried at once has a new task before the old one has quite ended
        if self._tasks.get(job_id) is task:
            del self._tasks[job_id]
