"""Rules for every engine over HTTP, each against its stand-in: rules of `backends/quality.py`."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.kinds import kind_of
from backends.registry import BackendRegistry, Owner
from generation.capabilities import Fit, fit
from generation.errors import BackendAuthError, BackendError, GenerationError
from generation.job import JobStatus, Progress
from services.engines.connections import ConnectionService
from settings.safety import SafetySettings
from tests.engines.fault_proxy import Fault, FaultProxy
from tests.engines_faults.engines import ALL, ENGINES, KEYS, quick_timeouts
from tests.engines_faults.faults import answers, at_job
from tests.engines_faults.rig import Rig, fault_rig
from tests.engines_faults.test_each_fault import EVERY_ENGINE, is_for_people
from tests.engines_faults.test_hostile_answers import check
from tests.engines_faults.test_reaching import until_at_work
from tests.fakes import FakeClock
from tests.jobs import make_request
from tests.net.servers import serve
from tests.net.test_answers import JSON
from tests.services.test_connections import MemoryStore

EVERY_KIND = pytest.mark.parametrize("kind", ENGINES)  # as people connect them
MIA = Owner(kind="user", id="7")
JOB_S = 0.2  # how long the queue would wait for a job here
HANG_S = 5.0  # an engine's client that still holds on then never lets go
LOCKED = {  # how each stand-in is told which key is right, and a key that is wrong
    "a1111": ({"auth": "mia:right"}, "mia:wrong"),
    "comfyui": ({"auth": "mia:right"}, "mia:wrong"),
    "gradio_flux": ({"auth": "mia:right"}, "mia:wrong"),
    "ai_horde": ({}, "nonsense"),
    "aipowergrid": ({}, "grid_wrong"),
    "openai_images": ({}, "sk-wrong-0123456789"),
    "stability": ({}, "sk-wrong-0123456789"),
    "replicate": ({}, "r8_wrong_0123456789"),
    "gemini": ({}, "AIza-wrong-0123456789"),
    "bfl": ({}, "bfl-wrong-0123456789"),
    "fal": ({}, "fal-wrong-0123456789"),
}


def changes_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log tells people of the engine's being there, at INFO and above."""
    reported = [record for record in caplog.records if getattr(record, "backend", None) == "gpu"]
    actions = [str(record.__dict__.get("action")) for record in reported if record.levelno >= logging.INFO]
    return [action for action in actions if action in {"backend_down", "backend_up"}]


@EVERY_ENGINE
@pytest.mark.parametrize("found_by", ["probe", "jobs"])
async def test_gone_is_logged_once_and_back_once(kind: str, found_by: str, caplog: pytest.LogCaptureFixture) -> None:
    async with fault_rig(ALL[kind]) as rig:
        caplog.set_level(logging.INFO)
        caplog.clear()
        await rig.proxy.close()
        if found_by == "probe":
            await rig.registry.refresh("gpu")
        for _ in range(3):
            assert (await rig.run()).status is JobStatus.FAILED
        for _ in range(3):
            await rig.registry.refresh("gpu")
        assert changes_of(caplog) == ["backend_down"]
        await rig.proxy.listen()
        for _ in range(2):
            await rig.registry.refresh("gpu")
        assert (await rig.run()).status is JobStatus.DONE
        assert changes_of(caplog) == ["backend_down", "backend_up"]


@EVERY_ENGINE
async def test_a_refused_key_is_logged_once_however_many_jobs_find_it(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fault_rig(ALL[kind]) as rig:
        caplog.clear()
        for _ in range(3):
            at_job("answer", **answers(401))(rig)
            job = await rig.run()
            assert job.error
            assert (job.error.code, is_for_people(job)) == (BackendAuthError().code, True)
        assert changes_of(caplog) == ["backend_down"]


ANYWHERE = SafetySettings(allow_private=True, allow_insecure_http=True)


def service_of(registry: BackendRegistry, store: MemoryStore) -> ConnectionService:
    return ConnectionService(registry, store, clock=FakeClock(), safety=ANYWHERE)


async def connected(kind: str, url: str, key: str) -> MemoryStore:
    """Bring an engine along as people do; return what was saved.

    Raises:
        BackendError: it was tested and is of no use; nothing was saved.
    """
    found, registry, store = kind_of(kind), BackendRegistry(FakeClock()), MemoryStore()
    assert found
    try:
        await service_of(registry, store).connect(found.typed, url, key, owner=MIA)
    except BackendError:
        assert (store.rows, list(registry)) == ({}, [])
        raise
    finally:
        await registry.aclose()
    return store


@EVERY_KIND
async def test_it_is_tested_before_it_is_saved(kind: str) -> None:
    key = KEYS.get(kind, "")
    async with ALL[kind].server() as server:
        assert len((await connected(kind, server.url, key)).rows) == 1
    with pytest.raises(BackendError):
        await connected(kind, server.url, key)
    async with serve({}) as port:
        with pytest.raises(BackendError):
            await connected(kind, f"http://127.0.0.1:{port}", key)


@pytest.mark.parametrize(
    ("kind", "key"),
    [*((kind, wrong) for kind, (_, wrong) in LOCKED.items()), *((kind, "") for kind in LOCKED if kind != "ai_horde")],
)  # a Horde takes those without a key as well
async def test_a_key_that_is_missing_or_refused_is_named_and_not_saved(kind: str, key: str) -> None:
    async with ALL[kind].server(**LOCKED[kind][0]) as server:
        with pytest.raises(BackendAuthError) as caught:
            await connected(kind, server.url, key)
    reply = f"{caught.value.user_message} {caught.value.hint}"
    assert "key" in reply or "password" in reply
    assert not key or key not in reply
    assert caught.value.hint


def backend_closings(rig: Rig) -> list[str]:
    """Take down when the engine's client is closed."""
    closings: list[str] = []
    close = rig.backend.aclose

    async def aclose() -> None:
        closings.append("closed")
        await close()

    rig.backend.aclose = aclose  # type: ignore[method-assign]
    return closings


@EVERY_ENGINE
async def test_removed_while_a_job_runs_it_ends_that_job_and_takes_no_more(kind: str) -> None:
    async with fault_rig(ALL[kind]) as rig:
        closings = backend_closings(rig)
        rig.engine.hold(rig.server)
        runs = await rig.submit()
        waits = await rig.submit(candidates=("gpu", "other"), seed=7)
        await until_at_work(rig)
        await rig.registry.remove("gpu")
        assert (await rig.end_of(waits)).lane == "other"
        assert closings == []
        rig.engine.release(rig.server)
        assert (await rig.end_of(runs)).status is JobStatus.DONE
        async with asyncio.timeout(HANG_S):
            while not closings:
                await asyncio.sleep(0.005)
        assert (closings, rig.taken) == (["closed"], 1)


async def ignore(_: Progress) -> None:
    pass


@EVERY_ENGINE
async def test_nothing_goes_on_here_after_the_last_job(kind: str) -> None:
    """A picture that was drawn, one that failed and one that was cancelled leave no task behind."""
    engine = ALL[kind]
    async with engine.server() as server, FaultProxy(server.url) as proxy:
        backend = engine.connect(proxy.url)
        can = await backend.capabilities()
        fitted = fit(make_request(width=256, height=256, steps=4, sampler=None), can)
        assert isinstance(fitted, Fit)
        await backend.generate(fitted.request, ignore)
        proxy.arm(Fault(kind="answer", where=engine.job, status=500, body=b"no"))
        with pytest.raises(GenerationError):
            await backend.generate(fitted.request, ignore)
        engine.hold(server)
        another = replace(fitted.request, seed=7)  # the same one may be remembered there
        job = asyncio.create_task(backend.generate(another, ignore))
        async with asyncio.timeout(HANG_S):
            while not engine.is_working(server):
                await asyncio.sleep(0.005)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
        engine.release(server)
        await backend.aclose()
        left = [task for task in asyncio.all_tasks() if "backends/" in task.get_coro().cr_code.co_filename]  # type: ignore[union-attr]
        assert left == []


class Replaced:
    """Puts other JSON in the place of the engine's: in the answer of this number and all that come after it."""

    def __init__(self, values: list[Any], first: int) -> None:
        self._values, self._first, self._seen = values, first, 0

    def edit(self, body: bytes) -> bytes:
        if body.startswith(b"data:"):
            return b"".join(b"data: " + self._next(line[5:]) + b"\n\n" for line in body.split(b"\n") if line)
        try:
            json.loads(body)
        except ValueError:
            return body  # a page, a picture
        return self._next(body)

    def _next(self, body: bytes) -> bytes:
        self._seen += 1
        if self._seen <= self._first:
            return body
        return json.dumps(self._values[self._seen % len(self._values)]).encode()


async def ask_for_a_picture(kind: str, replaced: Replaced) -> None:
    """Probe and draw, as the queue does; fail on what is neither a clean value nor one of our errors."""
    engine = ALL[kind]
    async with engine.server() as server, FaultProxy(server.url) as proxy:
        proxy.arm(Fault(kind="edit", where=" /", edit=replaced.edit, times=10_000))
        backend = engine.connect(proxy.url)
        try:
            async with asyncio.timeout(HANG_S):
                await probe_and_draw(backend)
        finally:
            await backend.aclose()


async def probe_and_draw(backend: Any) -> None:
    try:
        async with asyncio.timeout(JOB_S):
            can = await backend.capabilities()
            check(can, "capabilities")
            fitted = fit(make_request(width=256, height=256, steps=4, sampler=None), can)
            if isinstance(fitted, Fit):
                check(await backend.generate(fitted.request, ignore), "result")
    except GenerationError as error:
        check((error.user_message, error.hint, error.detail, error.retry_after), "error")
    except TimeoutError:
        pass  # the time the queue gives a job: the client let go of it


@EVERY_ENGINE
def test_any_json_in_place_of_an_answer_is_one_of_our_errors(kind: str) -> None:
    @given(st.lists(JSON, min_size=1, max_size=3), st.integers(0, 12))
    def holds(values: list[Any], first: int) -> None:
        asyncio.run(ask_for_a_picture(kind, Replaced(values, first)))

    with pytest.MonkeyPatch.context() as patch:
        quick_timeouts(patch, JOB_S)
        holds()
