"""Jobs by ComfyUI's API v2 taken up, followed and cancelled, on a stand-in that behaves as the recorded proxy did."""

import asyncio
import json
import uuid

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.errors import (
    BackendError,
    BackendUnavailable,
)
from generation.job import Progress
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.v2.rig import WORKFLOW, finish, paths
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.waiting import until


@pytest.mark.parametrize("moment", ["waiting", "running", "ended"])
async def test_after_a_restart_of_easel_a_job_is_taken_up_by_its_id(
    server: ComfyUIV2Server, backend: ComfyUIBackend, moment: str
) -> None:
    server.engine.hold()
    if moment == "waiting":
        await backend.start(make_request(seed=1))
    remote_id = await backend.start(make_request(seed=77))
    if moment == "ended":
        server.engine.release()
        await until(lambda: remote_id in server.engine.finished)
    await backend.aclose()
    later = connect(server)
    await later.capabilities()
    if moment != "ended":
        assert not (await later.poll(remote_id)).is_finished
    server.engine.release()
    await finish(later, remote_id)
    result = await later.fetch(remote_id, make_request(seed=77))
    assert [image.seed for image in result.images] == [77]
    await later.aclose()


async def test_place_in_the_queue_is_told(server: ComfyUIV2Server, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    await backend.start(make_request(seed=1))
    second = await backend.start(make_request(seed=2))
    await until(lambda: server.engine.running)
    other = connect(server)
    for _ in range(3):
        assert "1 ahead" in (await other.poll(second)).progress.note
    await other.aclose()


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
@pytest.mark.parametrize("which", ["running", "waiting"])
async def test_a_job_is_cancelled_by_its_id_and_no_other(version: str, which: str) -> None:
    """The proxy says of a ComfyUI before 0.25, too, that it cancels."""
    async with ComfyUIV2Server(version=version) as server:
        backend = connect(server)
        server.engine.hold()
        await backend.capabilities()
        ids = [await backend.start(make_request(seed=seed)) for seed in (1, 2)]
        await until(lambda: server.engine.running)
        mine, other = ids if which == "running" else ids[::-1]
        await backend.cancel(mine)
        await until(lambda: not server.engine.running or server.engine.running.id != mine)
        server.engine.release()
        await finish(backend, other)
        assert server.engine.finished == [other]
        assert {str(target) for path, target in server.posted if "cancel" in path} <= {mine}
        await backend.aclose()


async def test_a_job_of_an_older_comfyui_is_cancelled_right_after_a_restart_of_easel() -> None:
    async with ComfyUIV2Server(version="0.3.64") as server:
        server.engine.hold()
        before, after = connect(server), connect(server)
        remote_id = await before.start(make_request())
        await before.aclose()
        await until(lambda: server.engine.running)
        await after.cancel(remote_id)
        await until(lambda: server.engine.interrupted == [remote_id])
        await after.aclose()


async def test_a_job_that_could_not_be_cancelled_is_said_to_go_on() -> None:
    async with ComfyUIV2Server(version="0.3.64", has_classic=False) as server:
        backend = connect(server, options={"workflow": WORKFLOW})
        server.engine.hold()
        await backend.start(make_request(seed=1))
        waiting = await backend.start(make_request(seed=2))
        await until(lambda: server.engine.running)
        with pytest.raises(BackendError, match="did not cancel") as caught:
            await backend.cancel(waiting)
        assert "0.25" in caught.value.hint
        await backend.aclose()


async def test_a_job_that_is_gone_is_cancelled_already(backend: ComfyUIBackend) -> None:
    await backend.capabilities()
    await backend.cancel(str(uuid.uuid4()))


async def test_a_job_cancelled_while_it_is_being_sent_does_not_run(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    await backend.capabilities()
    server.engine.hold()
    server.fail_next("/api/v2/jobs", "slow")
    job = asyncio.create_task(backend.start(make_request()))
    await until(lambda: "POST /api/v2/jobs" in paths(server))
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await until(lambda: server.accepted and not server.engine.running and not server.engine.pending)


async def test_job_lost_by_a_restart_of_comfyui_is_told_as_such(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.restart()
    with pytest.raises(BackendUnavailable, match="does not know this job") as caught:
        await finish(backend, remote_id)
    assert caught.value.retryable


async def test_steps_and_previews_are_told_by_the_event_stream(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    job = asyncio.create_task(backend.generate(make_request(), report))
    await until(lambda: server.engine.running and server.proxy.streams)
    for step in range(1, 4):
        server.engine.step()
        await until(lambda step=step: (seen and seen[-1].step == step) or job.done())
    assert seen[-1].fraction == 0.75
    server.engine.release()
    await job
    assert any(progress.preview for progress in seen)
    assert "GET /ws" not in paths(server)


async def test_too_many_streams_cost_the_progress_bar_and_not_the_job(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.proxy.streams = 8
    assert (await backend.generate(make_request(), ignore)).images
    assert paths(server).count(f"GET /api/v2/jobs/{server.engine.finished[0]}/events") == 1, "Retry-After says 5 s"


async def test_a_stream_that_breaks_costs_nothing_but_progress(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    server.fail_next(f"/api/v2/jobs/{remote_id}/events", "reset")
    server.engine.release()
    await finish(backend, remote_id)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_names_a_time_to_wait_is_not_asked_before(server: ComfyUIV2Server, status: int) -> None:
    server.has_socket = False
    backend = connect(server)
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await backend.aclose()
    backend = connect(server)
    await backend.capabilities()
    backend._line.has_classic = False
    body = json.dumps({"error": {"code": "queue_full", "message": "wait"}})
    server.proxy.streams = 8
    server.fail_next(f"/api/v2/jobs/{remote_id}", status=status, body=body, headers={"Retry-After": "7"})
    server.fail_next(f"/api/v2/jobs/{remote_id}", status=status, body=body, headers={"Retry-After": "7"})
    assert (await backend.poll(remote_id)).poll_after_s == 7.0
    server.engine.release()
    await backend.aclose()
