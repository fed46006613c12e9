"""Jobs that an engine lost keep their order: the younger never overtakes the older."""

import asyncio

import pytest

from generation.errors import BackendUnavailable
from generation.job import JobStatus
from tests.engines_faults.engines import ENGINES
from tests.engines_faults.rig import Rig, fault_rig
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig, seeded


def lost() -> BackendUnavailable:
    return BackendUnavailable("It does not know this job any more.", retry_after=0.0, may_have_run=True)


async def test_a_lost_job_is_sent_again_before_the_one_behind_it() -> None:
    engine = FakeBackend("gpu", hold=True)
    async with queue_rig(engine) as rig:
        for seed in (1, 2, 3):
            await rig.submit(**seeded(seed))
        engine.fail.append(lost())
        engine.release()
        await rig.settle()
        assert rig.seeds() == [1, 1]
        engine.release(3)
        await rig.settle()
        assert rig.seeds() == [1, 1, 2, 3]


async def test_nobody_takes_the_slot_while_it_is_decided_what_becomes_of_a_failure() -> None:
    engine = FakeBackend("gpu", hold=True)
    async with queue_rig(engine) as rig:
        for seed in (1, 2):
            await rig.submit(**seeded(seed))
        engine.fail.append(lost())
        requeue = next(sql for sql in _statements() if "SET status = 'queued'" in sql)
        rig.database.holds[requeue] = asyncio.Event()
        engine.release()
        await rig.settle()
        assert rig.seeds() == [1]
        rig.database.holds.pop(requeue).set()
        await rig.settle()
        assert rig.seeds() == [1, 1]
        engine.release(2)
        await rig.settle()


def _statements() -> list[str]:
    from store import jobs

    return [value for value in vars(jobs).values() if isinstance(value, str)]


async def _two_at_the_engine(rig: Rig) -> list[str]:
    """Submit two jobs, the second sent ahead of its turn; return their prompts' seeds in order."""
    first = await rig.submit(seed=1, steps=20)
    rig.queue._lanes.get("gpu").pace.learn(None, first.drawn.cost, 0.01)
    second = await rig.submit(seed=2, steps=20)
    async with asyncio.timeout(5):
        while rig.taken < 2:
            rig.queue._wake.set()
            await asyncio.sleep(0.005)
    return [first.id, second.id]


@pytest.mark.parametrize("turn", range(3))
async def test_after_a_restart_of_comfyui_the_older_job_is_drawn_first(turn: int) -> None:
    async with fault_rig(ENGINES["comfyui"], attempts=3) as rig:
        rig.server.engine.hold()
        first, second = await _two_at_the_engine(rig)
        assert (rig.lane.running, rig.lane.waiting) == (1, 1)  # one is drawn, one waits in the engine's own line
        rig.server.restart()
        rig.server.engine.release()
        jobs = [await rig.jobs.get(job_id) for job_id in (first, second)]
        ended = await asyncio.gather(*(rig.end_of(job) for job in jobs if job))
        assert [job.status for job in ended] == [JobStatus.DONE, JobStatus.DONE]
        seeds = [_seed(job.graph) for job in rig.server.engine.submitted[2:]]
        assert seeds == [1, 2]
        assert rig.sink.kept == [first, second]


def _seed(graph: dict[str, dict[str, dict[str, object]]]) -> object:
    return next(node["inputs"]["seed"] for node in graph.values() if node["class_type"] == "KSampler")  # type: ignore[comparison-overlap]
