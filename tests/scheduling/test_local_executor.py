"""Jobs as tasks of this process: the executor contract, and what only this executor does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from backends.base import Backend, BackendConfig
from backends.registry import BackendRegistry, Entry
from generation.errors import BackendError, RequestRejected
from generation.request import SourceImage, WorkflowRef
from scheduling.local_executor import LocalExecutor
from tests.contracts.executor_contract import ExecutorContract, Recorder
from tests.fakes import FakeBackend, settle
from tests.jobs import make_job
from tests.scheduling.resumable import FakeResumableBackend
from utils.clock import SystemClock


async def load(source: SourceImage) -> SourceImage:
    return source


def _executor(registry: BackendRegistry, timeout_s: float = 60.0) -> LocalExecutor:
    return LocalExecutor(registry.borrow, load=load, timeout_s=timeout_s, clock=SystemClock())


def _registry(backend: Backend) -> BackendRegistry:
    registry = BackendRegistry(SystemClock())
    registry.add(Entry(config=BackendConfig(name=backend.name, kind="fake"), backend=backend))
    return registry


class TestLocalExecutor(ExecutorContract):
    @asynccontextmanager
    async def rig(self, backend: FakeBackend, *, timeout_s: float = 60.0) -> AsyncIterator[LocalExecutor]:
        executor = _executor(_registry(backend), timeout_s)
        try:
            yield executor
        finally:
            await executor.stop(0)


async def test_a_lane_whose_engine_is_gone_fails_its_jobs() -> None:
    events = Recorder()
    executor = _executor(BackendRegistry(SystemClock()))
    executor.start(make_job(), events)
    ((_, outcome),) = await events.until_finished()
    assert isinstance(outcome, BackendError)
    assert "no longer connected" in outcome.user_message


async def test_an_engine_removed_in_mid_run_is_closed_after_it() -> None:
    closed = asyncio.Event()

    class Closing(FakeBackend):
        async def aclose(self) -> None:
            closed.set()

    backend = Closing("gpu", hold=True)
    registry = _registry(backend)
    events = Recorder()
    executor = _executor(registry)
    executor.start(make_job(), events)
    await events.until_running()
    await registry.remove("gpu")
    assert not closed.is_set()
    backend.release()
    await events.until_finished()
    assert closed.is_set()


async def test_an_outcome_is_not_lost_to_a_stop_while_it_is_stored() -> None:
    stored = asyncio.Event()

    class Slow(Recorder):
        async def on_finished(self, job_id: str, outcome: object) -> None:
            self._bell.set()
            await asyncio.sleep(0.02)
            stored.set()

    executor = _executor(_registry(FakeBackend("gpu")))
    executor.start(make_job(), Slow())
    await settle()
    await executor.stop(0)
    async with asyncio.timeout(1):
        await stored.wait()


@pytest.mark.parametrize("is_stop", [True, False])
async def test_stopping_leaves_a_remote_job_running_and_cancelling_does_not(is_stop: bool) -> None:
    backend = FakeResumableBackend("gpu", poll_after_s=0.001)
    events = Recorder()
    executor = _executor(_registry(backend))
    job = make_job()
    executor.start(job, events)
    await events.until_running()
    if is_stop:
        await executor.stop(0)
    else:
        await executor.cancel(job.id)
    assert backend.remote_cancelled == ([] if is_stop else ["remote1"])
    assert events.finished == []


async def test_workflow_is_loaded_just_before_the_run() -> None:
    own = WorkflowRef(name="portrait", id="1")
    job = make_job()
    job = replace(job, drawn=replace(job.drawn, workflow=own))
    backend, events = FakeBackend(job.lane), Recorder()

    async def load_workflow(workflow: WorkflowRef) -> WorkflowRef:
        return replace(workflow, graph="{}")

    executor = LocalExecutor(
        _registry(backend).borrow, load=load, load_workflow=load_workflow, timeout_s=60, clock=SystemClock()
    )
    executor.start(job, events)
    await events.until_finished()
    (request,) = backend.requests
    assert request.workflow is not None
    assert request.workflow.graph == "{}"


async def test_workflow_that_is_gone_fails_the_job_in_words() -> None:
    job = make_job()
    job = replace(job, drawn=replace(job.drawn, workflow=WorkflowRef(name="portrait", id="1")))
    events = Recorder()
    _executor(_registry(FakeBackend(job.lane))).start(job, events)
    ((_, outcome),) = await events.until_finished()
    assert isinstance(outcome, RequestRejected)
    assert "portrait" in outcome.user_message
