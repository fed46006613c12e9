"""Whole jobs on the stand-in: progress, restarts, cancelling by version, faults."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from backends.comfyui.backend import ComfyUIBackend
from generation.capabilities import Refused, fit
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    GenerationError,
    RequestRejected,
)
from generation.job import Progress
from generation.request import ControlUnit, Mode, SourceImage
from tests.backends.comfyui.rig import QUICK, connect, ignore, make_request
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer
from tests.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[ComfyUIServer]:
    async with ComfyUIServer() as made:
        yield made


@pytest.fixture
async def backend(server: ComfyUIServer) -> AsyncIterator[ComfyUIBackend]:
    made = connect(server)
    yield made
    await made.aclose()


def picture(width: int, height: int) -> SourceImage:
    target = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(target, "PNG")
    return SourceImage.of(target.getvalue())


async def finish(backend: ComfyUIBackend, remote_id: str) -> None:
    async with asyncio.timeout(5):
        while not (state := await backend.poll(remote_id)).is_finished:
            await asyncio.sleep(state.poll_after_s)


async def test_it_is_told_that_the_engine_is_free_before_its_history_and_pictures_are_asked_for(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    steps: list[int | None] = []
    asked: list[list[str]] = []

    async def report(progress: Progress) -> None:
        steps.append(progress.step)
        if progress.is_drawn:
            asked.append([path for _, path, *_ in server.requests[before:]])

    job = asyncio.create_task(backend.generate(make_request(), report))
    await until(lambda: server.engine.running)
    server.engine.step()
    await until(lambda: 1 in steps)  # it listens; where it does not yet, it looks at the history
    before = len(server.requests)
    server.engine.release()
    await job
    assert asked
    assert not [path for path in asked[0] if path.startswith(("/history/", "/view"))]


async def test_previews_and_steps_are_reported_while_it_draws(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    job = asyncio.create_task(backend.generate(make_request(), report))
    await until(lambda: server.engine.running)
    for step in range(1, 5):
        server.engine.step()
        await until(lambda step=step: (seen and seen[-1].step == step) or job.done())
    await job
    assert any(progress.preview for progress in seen)
    assert {progress.steps for progress in seen if progress.step} == {4}


async def test_place_in_the_engine_s_own_queue_is_told(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    first, second = [await backend.start(make_request(seed=seed)) for seed in (1, 2)]
    await until(lambda: server.engine.running)
    other = connect(server)
    for _ in range(3):
        assert "1 ahead" in (await other.poll(second)).progress.note
    await other.aclose()
    server.engine.release()
    await finish(backend, first)
    await finish(backend, second)


async def test_job_is_taken_up_by_another_process(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request(seed=77))
    await backend.aclose()
    later = connect(server)
    assert not (await later.poll(remote_id)).is_finished
    server.engine.release()
    await finish(later, remote_id)
    result = await later.fetch(remote_id, make_request(seed=77))
    assert [image.seed for image in result.images] == [77]
    assert len(server.engine.submitted) == 1
    await later.aclose()


async def test_job_lost_by_a_restart_of_the_server_is_told_as_such(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.restart()
    with pytest.raises(BackendUnavailable, match="does not know this job") as caught:
        await finish(backend, remote_id)
    assert caught.value.retryable


async def test_websocket_that_drops_costs_nothing_but_progress(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    job = asyncio.create_task(backend.generate(make_request(), ignore))
    await until(lambda: server.engine.running)
    server.drop_sockets()
    server.engine.release()
    assert (await job).images


async def test_websocket_says_at_once_that_a_job_is_done(server: ComfyUIServer) -> None:
    backend = connect(server, replace(QUICK, poll_s=30.0, report_s=30.0))
    server.engine.hold()
    remote_id = await backend.start(make_request())
    polling = asyncio.create_task(backend.poll(remote_id))
    await until(lambda: server.engine.running)
    server.engine.release()
    async with asyncio.timeout(2):
        while not (await polling).is_finished:
            polling = asyncio.create_task(backend.poll(remote_id))
    await backend.aclose()


async def test_silent_websocket_is_not_waited_for(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.engine.send = lambda *_: None
    assert (await backend.generate(make_request(), ignore)).images


async def test_answer_lost_on_the_way_draws_nothing_twice(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    server.fail_next("/prompt", "reset", after_accept=True)
    assert (await backend.generate(make_request(), ignore)).images
    assert len(server.engine.submitted) == 1


async def test_job_that_never_arrived_is_an_error(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    await backend.capabilities()
    server.fail_next("/prompt", "reset")
    with pytest.raises(BackendUnavailable):
        await backend.generate(make_request(), ignore)
    assert not server.engine.submitted


@pytest.mark.parametrize("path", ["/history", "/queue"])
@pytest.mark.parametrize("fault", ["reset", "status"])
async def test_hiccup_while_a_job_runs_is_waited_out(
    server: ComfyUIServer, backend: ComfyUIBackend, path: str, fault: str
) -> None:
    await backend.capabilities()
    server.fail_next(path, fault, status=502, body="<html>", content_type="text/html")
    assert (await backend.generate(make_request(), ignore)).images
    assert len(server.engine.submitted) == 1


async def test_server_that_stays_away_is_given_up(server: ComfyUIServer) -> None:
    backend = connect(server, replace(QUICK, patience_s=0.05))
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await server.__aexit__()
    with pytest.raises(BackendUnavailable):
        await finish(backend, remote_id)
    await backend.aclose()


@pytest.mark.parametrize(
    ("version", "means"),
    [
        ("0.33.0", ["/api/jobs/cancel"]),
        ("0.3.64", ["/queue", "/interrupt"]),
        ("0.2.7", ["/queue", "/interrupt"]),
    ],
)
async def test_running_job_is_cancelled_by_what_the_version_has(version: str, means: list[str]) -> None:
    async with ComfyUIServer(version=version) as server:
        backend = connect(server)
        server.engine.hold()
        await backend.capabilities()
        remote_id = await backend.start(make_request())
        await until(lambda: server.engine.running)
        await backend.cancel(remote_id)
        await until(lambda: server.engine.interrupted == [remote_id])
        assert [path for path, _ in server.posted] == means
        await backend.aclose()


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64", "0.2.7"])
async def test_waiting_job_is_cancelled_without_touching_the_running_one(version: str) -> None:
    async with ComfyUIServer(version=version) as server:
        backend = connect(server)
        server.engine.hold()
        running, waiting = [await backend.start(make_request(seed=seed)) for seed in (1, 2)]
        await until(lambda: server.engine.running)
        await backend.cancel(waiting)
        assert not server.engine.pending
        server.engine.release()
        await finish(backend, running)
        assert server.engine.interrupted == []
        await backend.aclose()


async def test_cancel_goes_on_by_older_means_where_a_proxy_hides_the_new_one(server: ComfyUIServer) -> None:
    backend = connect(server)
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.fail_next("/api/jobs", status=404)
    await backend.cancel(remote_id)
    await until(lambda: server.engine.interrupted == [remote_id])
    await backend.aclose()


async def test_job_cancelled_while_it_is_being_sent_does_not_run(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    await backend.capabilities()
    server.engine.hold()
    server.fail_next("/prompt", "slow")
    job = asyncio.create_task(backend.start(make_request()))
    await until(lambda: ("POST", "/prompt") in [(method, path) for method, path, _ in server.requests])
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await until(lambda: not server.engine.running and not server.engine.pending)


@pytest.mark.parametrize("key", ["mia:secret", "token"])
async def test_key_and_path_prefix_go_with_every_call_and_the_websocket(key: str) -> None:
    async with ComfyUIServer(auth=key, prefix="/gpu/comfy") as server:
        backend = connect(server, key=key)
        server.engine.hold()
        job = asyncio.create_task(backend.generate(make_request(), ignore))
        await until(lambda: server.sockets and server.engine.running)
        server.engine.release()
        assert (await job).images
        await backend.aclose()
        wrong = connect(server, key="other")
        with pytest.raises(BackendAuthError):
            await wrong.capabilities()
        await wrong.aclose()


async def test_pictures_are_uploaded_once_under_a_name_of_their_own(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    source = picture(100, 80)
    for seed in (1, 2):
        request = make_request(mode=Mode.IMG2IMG, init_image=source, denoising_strength=0.5, seed=seed)
        result = await backend.generate(request, ignore)
        with Image.open(io.BytesIO(result.images[0].data)) as drawn:
            assert drawn.size == (64, 64)
    uploaded = [key for key in server.engine.files if key[1] == "easel"]
    assert uploaded == [("temp", "easel", f"{source.media_id[:32]}.png")]


async def test_upscaling_gives_the_asked_factor(backend: ComfyUIBackend) -> None:
    request = make_request(mode=Mode.UPSCALE, init_image=picture(50, 40), upscale_factor=3.0)
    result = await backend.generate(request, ignore)
    with Image.open(io.BytesIO(result.images[0].data)) as drawn:
        assert drawn.size == (150, 120)


async def test_picture_too_large_for_the_server_is_told(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    await backend.capabilities()
    server.fail_next("/upload", status=413, body="Maximum request body size 104857600 exceeded.")
    with pytest.raises(RequestRejected, match="too large"):
        await backend.generate(make_request(mode=Mode.IMG2IMG, init_image=picture(9, 9)), ignore)


async def test_missing_picture_is_told_before_anything_is_sent(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    with pytest.raises(RequestRejected, match="missing"):
        await backend.generate(make_request(mode=Mode.IMG2IMG), ignore)
    assert not server.engine.submitted


async def test_missing_model_is_named_before_anything_is_queued(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    with pytest.raises(CapabilityError, match="nope"):
        await backend.generate(make_request(vae="nope.safetensors"), ignore)
    assert ("POST", "/prompt") not in [(method, path) for method, path, _ in server.requests]


async def test_model_added_since_the_last_probe_is_found(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    await backend.capabilities()
    server.engine.info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0].append("new.safetensors")
    result = await backend.generate(make_request(model="new.safetensors"), ignore)
    assert result.model == "new"


async def test_server_without_any_model_draws_only_with_workflows(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    for name, key in (("CheckpointLoaderSimple", "ckpt_name"), ("UNETLoader", "unet_name")):
        server.engine.info[name]["input"]["required"][key] = [[], {}]
    server.engine.info["UpscaleModelLoader"]["input"]["required"]["model_name"] = [[]]
    can = await backend.capabilities()
    assert can.supports_workflows
    refused = fit(make_request(), can)
    assert isinstance(refused, Refused)
    assert "no model of its own yet" in refused.reasons[0]
    closed = connect(server, options={"own_workflows": "no"})
    with pytest.raises(BackendError, match="no model yet"):
        await closed.capabilities()
    await closed.aclose()


async def test_workflow_of_the_instance_is_used(server: ComfyUIServer) -> None:
    path = DATA / "workflows" / "hires_fix_latent.api.json"
    backend = connect(server, options={"workflow": str(path)})
    can = await backend.capabilities()
    assert (can.modes, can.default_width, can.default_steps) == (frozenset({Mode.TXT2IMG}), 64, 3)
    result = await backend.generate(make_request(batch_size=2), ignore)
    assert [image.seed for image in result.images] == [812, 813]
    sent = server.engine.submitted[0].graph
    assert sent["17"]["class_type"] == "KSampler"
    assert sent["6"]["inputs"]["text"] == "a red fox"
    await backend.aclose()


@pytest.mark.parametrize(
    ("content", "says"), [('{"nodes": [], "links": []}', "no nodes"), ("{", "not JSON"), (None, "cannot be read")]
)
async def test_workflow_that_cannot_be_used_is_told_to_the_owner(
    server: ComfyUIServer, tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "flow.json"
    if content is not None:
        path.write_text(content)
    backend = connect(server, options={"workflow": str(path)})
    with pytest.raises(BackendError, match=says) as caught:
        await backend.capabilities()
    assert str(tmp_path) not in f"{caught.value.user_message} {caught.value.hint}"
    await backend.aclose()


@pytest.mark.parametrize("kind", ["reset", "truncate", "status"])
@pytest.mark.parametrize("path", ["/system_stats", "/object_info"])
async def test_fault_of_a_probe_is_one_of_our_errors(server: ComfyUIServer, path: str, kind: str) -> None:
    backend = connect(server)
    server.fail_next(path, kind, status=500)
    with pytest.raises(GenerationError) as caught:
        await backend.capabilities()
    assert isinstance(caught.value, BackendError)
    await backend.aclose()


async def test_nothing_is_left_behind_by_finished_and_failed_jobs(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    await backend.generate(make_request(), ignore)
    with pytest.raises(GenerationError):
        await backend.generate(make_request(model="nope"), ignore)
    server.fail_next("/prompt", status=500)
    with pytest.raises(GenerationError):
        await backend.generate(make_request(seed=5), ignore)
    assert len(backend._follower) == 0
    await until(lambda: not server.sockets)


def test_frames_sent_by_the_stand_in_are_those_recorded() -> None:
    kinds = {frame["type"] for frame in json.loads((DATA / "ws_normal.json").read_text())}
    assert {"status", "execution_start", "execution_cached", "executing", "executed", "execution_success"} <= kinds


async def test_pictures_that_steer_are_uploaded_too(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    lists = server.engine.info["ControlNetLoader"]["input"]["required"]["control_net_name"]
    lists[0].append("control_v11p_sd15_canny.pth")
    unit = ControlUnit(kind="canny", image=picture(32, 32))
    assert (await backend.generate(make_request(control=(unit,)), ignore)).images
    assert ("temp", "easel", f"{unit.image.media_id[:32]}.png") in server.engine.files
