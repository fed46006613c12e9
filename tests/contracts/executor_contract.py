"""The same assertions for every executor: subclass `ExecutorContract` and give it a `rig`."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager

import pytest

from generation.errors import BackendUnavailable, GenerationError
from generation.job import Progress
from generation.result import GenerationResult
from scheduling.executor import Executor, Outcome
from tests.fakes import FakeBackend
from tests.jobs import make_job

SOON_S = 5.0  # far more than anything here takes; only a test that fails waits that long


class Recorder:
    """Takes down what an executor tells the queue."""

    def __init__(self) -> None:
        self.finished: list[tuple[str, Outcome]] = []
        self.progress: list[str] = []
        self.intents: list[tuple[str, str]] = []
        self.remote_ids: list[tuple[str, str]] = []
        self.store_error: Exception | None = None
        self._bell = asyncio.Event()

    async def on_progress(self, job_id: str, progress: Progress) -> None:
        self.progress.append(job_id)
        self._bell.set()

    async def on_intent(self, job_id: str, intent: str) -> None:
        self.intents.append((job_id, intent))

    async def known_ids(self, job_id: str) -> Collection[str]:
        return ()

    async def on_remote_id(self, job_id: str, remote_id: str) -> None:
        if self.store_error:
            raise self.store_error
        self.remote_ids.append((job_id, remote_id))

    async def on_finished(self, job_id: str, outcome: Outcome) -> None:
        self.finished.append((job_id, outcome))
        self._bell.set()

    async def until_finished(self, count: int = 1) -> list[tuple[str, Outcome]]:
        async with asyncio.timeout(SOON_S):
            while len(self.finished) < count:
                self._bell.clear()
                await self._bell.wait()
        return self.finished

    async def until_running(self, count: int = 1) -> None:
        async with asyncio.timeout(SOON_S):
            while len(self.progress) < count:
                self._bell.clear()
                await self._bell.wait()


class ExecutorContract:
    """`rig(backend)` gives an executor that runs the jobs of the lane "gpu" on that backend."""

    def rig(self, backend: FakeBackend, *, timeout_s: float = 60.0) -> AbstractAsyncContextManager[Executor]:
        raise NotImplementedError

    @pytest.fixture
    async def events(self) -> AsyncIterator[Recorder]:
        return Recorder()

    async def test_a_started_job_ends_in_one_outcome(self, events: Recorder) -> None:
        async with self.rig(FakeBackend("gpu")) as executor:
            job = make_job()
            executor.start(job, events)
            ((job_id, outcome),) = await events.until_finished()
            assert job_id == job.id
            assert isinstance(outcome, GenerationResult)
            assert outcome.images[0].seed == job.drawn.seed
            assert events.progress == [job.id]

    async def test_start_returns_before_the_job_runs(self, events: Recorder) -> None:
        backend = FakeBackend("gpu")
        async with self.rig(backend) as executor:
            executor.start(make_job(), events)
            assert backend.requests == []
            await events.until_finished()

    async def test_a_backends_error_is_the_outcome(self, events: Recorder) -> None:
        backend = FakeBackend("gpu")
        error = BackendUnavailable("The engine is away.")
        backend.fail.append(error)
        async with self.rig(backend) as executor:
            executor.start(make_job(), events)
            ((_, outcome),) = await events.until_finished()
        assert isinstance(outcome, BackendUnavailable)
        assert outcome.user_message == error.user_message

    async def test_a_crash_in_the_backend_is_an_outcome_with_the_jobs_id(self, events: Recorder) -> None:
        backend = FakeBackend("gpu")
        backend.fail.append(ValueError("a bug"))  # type: ignore[arg-type]
        async with self.rig(backend) as executor:
            job = make_job()
            executor.start(job, events)
            ((_, outcome),) = await events.until_finished()
        assert isinstance(outcome, GenerationError)
        assert job.short_id in outcome.user_message
        assert "bug" not in outcome.user_message

    async def test_a_job_that_takes_too_long_times_out(self, events: Recorder) -> None:
        backend = FakeBackend("gpu", hold=True)
        async with self.rig(backend, timeout_s=0.02) as executor:
            executor.start(make_job(), events)
            ((_, outcome),) = await events.until_finished()
        assert isinstance(outcome, GenerationError)
        assert outcome.code == "timed_out"
        assert len(backend.cancelled) == 1

    async def test_jobs_run_side_by_side(self, events: Recorder) -> None:
        backend = FakeBackend("gpu", hold=True)
        async with self.rig(backend) as executor:
            for _ in range(3):
                executor.start(make_job(), events)
            await events.until_running(3)
            assert backend.most_running == 3
            backend.release(3)
            assert len(await events.until_finished(3)) == 3

    async def test_a_cancelled_job_has_let_go_when_cancel_returns_and_has_no_outcome(self, events: Recorder) -> None:
        backend = FakeBackend("gpu", hold=True)
        async with self.rig(backend) as executor:
            job, other = make_job(), make_job()
            executor.start(job, events)
            executor.start(other, events)
            await events.until_running(2)
            await executor.cancel(job.id)
            assert backend.running == 1
            backend.release()
            assert [job_id for job_id, _ in await events.until_finished()] == [other.id]

    async def test_cancelling_an_unknown_or_ended_job_does_nothing(self, events: Recorder) -> None:
        async with self.rig(FakeBackend("gpu")) as executor:
            job = make_job()
            executor.start(job, events)
            await events.until_finished()
            await executor.cancel(job.id)
            await executor.cancel("nobody")
            assert len(events.finished) == 1

    async def test_the_same_job_may_be_started_again_from_its_own_outcome_and_cancelled(self, events: Recorder) -> None:
        """A retry starts while the first run has not quite ended."""
        backend = FakeBackend("gpu", hold=True)
        backend.fail.append(BackendUnavailable())
        job = make_job()
        async with self.rig(backend) as executor:

            class Retrying(Recorder):
                async def on_finished(self, job_id: str, outcome: Outcome) -> None:
                    executor.start(job, events)

            executor.start(job, Retrying())
            backend.release()
            await events.until_running()
            await asyncio.sleep(0)
            await executor.cancel(job.id)
            assert backend.running == 0
            assert len(backend.cancelled) == 1
            assert events.finished == []

    async def test_stopping_lets_jobs_finish_within_the_grace_period(self, events: Recorder) -> None:
        backend = FakeBackend("gpu", hold=True)
        async with self.rig(backend) as executor:
            executor.start(make_job(), events)
            await events.until_running()
            stopping = asyncio.create_task(executor.stop(SOON_S))
            await asyncio.sleep(0)
            backend.release()
            await stopping
            assert len(events.finished) == 1

    async def test_stopping_ends_what_is_left_without_an_outcome(self, events: Recorder) -> None:
        backend = FakeBackend("gpu", hold=True)
        async with self.rig(backend) as executor:
            executor.start(make_job(), events)
            await events.until_running()
            await executor.stop(0.01)
            assert backend.running == 0
            assert events.finished == []

    async def test_stopping_an_idle_executor_is_quick(self) -> None:
        async with self.rig(FakeBackend("gpu")) as executor, asyncio.timeout(SOON_S):
            await executor.stop(60)
