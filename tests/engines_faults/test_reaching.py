"""Engines that cannot be reached, are restarted in the middle of a job, or send without end; and clocks that jump."""

import asyncio
import socket
import tracemalloc

import pytest

from generation.job import JobStatus
from tests.engines.fault_proxy import FLOOD_BYTES, Fault
from tests.engines_faults.engines import ALL, PAID, quick_timeouts
from tests.engines_faults.faults import ALWAYS, AWAY, page
from tests.engines_faults.rig import Rig, fault_rig
from tests.engines_faults.test_each_fault import EVERY_ENGINE, is_for_people
from tests.net.servers import make_certificate, serve

HOUR_S = 3600.0
MOST_MEMORY = 3.5 * 64 * 1024 * 1024  # the largest picture taken, its buffer while it grows, and a copy


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_timeouts(monkeypatch)


async def fails(rig: Rig, says: str) -> None:
    entry = rig.registry.get("gpu")
    assert entry
    assert entry.error
    job = await rig.run()
    assert job.error
    assert (job.status, job.error.code) == (JobStatus.FAILED, AWAY)
    assert says in job.error.user_message
    assert is_for_people(job)
    assert says in entry.error.user_message
    assert await rig.others_go_on()


@EVERY_ENGINE
async def test_refused_and_there_again(kind: str) -> None:
    async with fault_rig(ALL[kind]) as rig:
        await rig.proxy.close()
        await rig.registry.refresh("gpu")
        await fails(rig, "is not running there")
        await rig.proxy.listen()
        await rig.registry.refresh("gpu")
        assert (await rig.run()).status is JobStatus.DONE


@EVERY_ENGINE
async def test_a_job_waits_for_an_engine_that_refuses_and_is_drawn_once(kind: str) -> None:
    async with fault_rig(ALL[kind], patience_s=60.0) as rig:
        await rig.proxy.close()
        job = await rig.submit()
        async with asyncio.timeout(5):
            async for view in rig.queue.watch(job.id):
                if view.away:
                    break
        assert (view.away.reason, view.position) == ("refused", 1)
        assert await rig.others_go_on()
        assert rig.taken == 0
        await rig.proxy.listen()
        await rig.registry.refresh("gpu")
        assert (await rig.end_of(job)).status is JobStatus.DONE
        assert rig.taken == 1


@EVERY_ENGINE
async def test_a_name_that_nobody_knows(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = socket.getaddrinfo

    def getaddrinfo(host: object, *args: object, **options: object) -> object:
        if host in {"gone.example", b"gone.example"}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with fault_rig(ALL[kind], url="http://gone.example:7860") as rig:
        await fails(rig, "an address that does not exist")


@EVERY_ENGINE
async def test_a_certificate_of_its_own_making(kind: str) -> None:
    async with (
        serve({}, tls=make_certificate("localhost")) as port,
        fault_rig(ALL[kind], url=f"https://127.0.0.1:{port}") as rig,
    ):
        await fails(rig, "no valid certificate")


@EVERY_ENGINE
async def test_no_https_there(kind: str) -> None:
    async with serve({}) as port, fault_rig(ALL[kind], url=f"https://127.0.0.1:{port}") as rig:
        await fails(rig, "no valid certificate")


@pytest.mark.parametrize(
    "kind",
    ["a1111", "comfyui", "gradio_flux", "ai_horde", "openai_images", "stability", "replicate", "gemini", "bfl", "fal"],
)  # the grid loads as a horde does
async def test_500_mb_are_cut_off_and_take_no_memory(kind: str) -> None:
    async with fault_rig(ALL[kind]) as rig:
        await rig.run(seed=1)
        rig.proxy.arm(Fault(kind="flood", where=rig.engine.picture or rig.engine.job, times=ALWAYS))
        tracemalloc.start()
        try:
            assert (await rig.run()).status is JobStatus.FAILED
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert rig.proxy.flooded < FLOOD_BYTES / 4
        assert peak < MOST_MEMORY


async def until_at_work(rig: Rig) -> None:
    async with asyncio.timeout(3):
        while not rig.engine.is_working(rig.server):
            await asyncio.sleep(0.005)


@EVERY_ENGINE
async def test_a_restart_in_the_middle_costs_no_job(kind: str) -> None:
    """The engine forgets what it drew; a Horde keeps its jobs, so there the same one goes on.

    Where it charges, the person is asked instead.
    """
    engine = ALL[kind]
    async with fault_rig(engine, attempts=3) as rig, engine.server() as fresh:
        engine.hold(rig.server)
        job = await rig.submit(seed=812)
        await until_at_work(rig)
        assert await rig.others_go_on()
        if kind == "ai_horde":
            fresh.jobs, fresh.pictures = rig.server.jobs, rig.server.pictures
            engine.release(rig.server)
        rig.proxy.upstream = fresh.url
        rig.proxy.drop()
        row = await rig.end_of(job)
        if kind in PAID:
            assert (row.status, rig.taken, engine.taken(fresh)) == (JobStatus.FAILED, 1, 0)
            return
        assert (row.status, row.error) == (JobStatus.DONE, None)
        assert (rig.taken, engine.taken(fresh)) == (1, 1)
        assert rig.sink.kept.count(job.id) == 1


@pytest.mark.parametrize(
    ("kind", "jump_s"),
    [("a1111", 25 * HOUR_S), ("a1111", -25 * HOUR_S), ("comfyui", -25 * HOUR_S), ("gradio_flux", 25 * HOUR_S),
     ("ai_horde", -25 * HOUR_S), ("aipowergrid", 25 * HOUR_S), ("openai_images", 25 * HOUR_S),
     ("stability", 25 * HOUR_S), ("replicate", -25 * HOUR_S), ("gemini", 25 * HOUR_S), ("bfl", -25 * HOUR_S),
     ("fal", 25 * HOUR_S)],
)  # fmt: skip
async def test_a_clock_that_jumps_disturbs_no_running_job(kind: str, jump_s: float) -> None:
    async with fault_rig(ALL[kind], attempts=3) as rig:
        rig.engine.hold(rig.server)
        job = await rig.submit()
        await until_at_work(rig)
        rig.clock.offset_s = jump_s
        rig.engine.release(rig.server)
        assert (await rig.end_of(job)).status is JobStatus.DONE
        assert (await rig.run(seed=7)).status is JobStatus.DONE
        assert rig.taken == 2


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
async def test_a_clock_that_jumps_before_a_second_try_does_not_put_it_off(jump_s: float) -> None:
    async with fault_rig(ALL["a1111"], attempts=3) as rig:
        rig.proxy.arm(Fault(kind="answer", where=rig.engine.job, **page(502)))
        job = await rig.submit()
        async for view in rig.queue.watch(job.id):
            if view.job.attempt > 1:
                rig.clock.offset_s = jump_s
                break
        async with asyncio.timeout(3):
            assert (await rig.end_of(job)).status is JobStatus.DONE
