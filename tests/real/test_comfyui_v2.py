"""The ComfyUI backend against the real `comfy-api-proxy`, in front of our stand-in for ComfyUI or of a real one.

`EASEL_REAL_COMFYUI=http://127.0.0.1:8188` names a real one; a workflow without a model is drawn there.
"""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from backends.comfyui.backend import ComfyUIBackend
from generation.capabilities import Fit, fit
from generation.errors import BackendAuthError, BackendUnavailable, RequestRejected
from generation.job import Progress
from generation.request import Mode
from tests.backends.comfyui.rig import QUICK, connect, ignore, make_request
from tests.backends.comfyui.v2.rig import WORKFLOW, finish, nobody, picture
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer
from tests.real.proxies import one_address, proxy
from tests.waiting import until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def comfyui() -> AsyncIterator[ComfyUIServer]:
    async with ComfyUIServer() as server:
        yield server


@pytest.fixture
async def url(comfyui: ComfyUIServer, tmp_path: Path) -> AsyncIterator[str]:
    async with proxy(comfyui.url, "--state-dir", str(tmp_path)) as url:
        yield url


@pytest.fixture
async def backend(url: str) -> AsyncIterator[ComfyUIBackend]:
    made = workflow_on(url)
    yield made
    await made.aclose()


def workflow_on(url: str, key: str = "") -> ComfyUIBackend:
    return connect(url, QUICK, options={"workflow": WORKFLOW}, key=key)


async def test_it_draws_and_tells_how_far_it_is(comfyui: ComfyUIServer, backend: ComfyUIBackend) -> None:
    comfyui.engine.hold()
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    job = asyncio.create_task(backend.generate(make_request(), report))
    await until(lambda: comfyui.engine.running and comfyui.sockets)
    comfyui.engine.step(2)
    await until(lambda: any(progress.step for progress in seen))
    comfyui.engine.release()
    result = await job
    assert [image.seed for image in result.images] == [812]


@pytest.mark.parametrize("moment", ["before it leaves", "before the id is stored"])
async def test_a_kill_at_any_moment_submits_once(
    comfyui: ComfyUIServer, backend: ComfyUIBackend, url: str, moment: str
) -> None:
    stored: list[str] = []

    async def sending(intent: str) -> None:
        stored.append(intent)
        assert not comfyui.engine.submitted
        if moment == "before it leaves":
            raise ConnectionError

    try:
        await backend.start(make_request(), sending)
    except ConnectionError:
        assert moment == "before it leaves"
    later = workflow_on(url)
    found = await later.find(stored[0], make_request(), nobody) or await later.start(make_request())
    await finish(later, found)
    assert (await later.fetch(found, make_request())).images
    assert len(comfyui.engine.submitted) == 1
    await later.aclose()


async def test_a_kill_while_the_proxy_sends_a_job_on_submits_once(
    comfyui: ComfyUIServer, backend: ComfyUIBackend, url: str
) -> None:
    await backend.capabilities()
    stored: list[str] = []

    async def sending(intent: str) -> None:
        stored.append(intent)

    comfyui.fail_next("/prompt", "slow")  # what asked first is not heard of again: as good as dead
    job = asyncio.create_task(backend.start(make_request(), sending))
    await until(lambda: ("POST", "/prompt") in [(method, path) for method, path, _ in comfyui.requests])
    later = workflow_on(url)
    await until(lambda: comfyui.engine.submitted)
    await until(lambda: later.find(stored[0], make_request(), nobody))
    assert len(comfyui.engine.submitted) == 1
    job.cancel()
    await asyncio.wait([job])
    await later.aclose()


async def test_a_used_key_is_refused_without_the_id_of_its_job(comfyui: ComfyUIServer, backend: ComfyUIBackend) -> None:
    """Return what the backend's finding by metadata rests on; a proxy that told the id would need none of it."""
    v2 = backend._line.v2
    intent = v2.new_intent()
    graph = json.loads((DATA / "workflows" / "txt2img_sd15.api.json").read_text())
    first = await v2.submit(graph, intent, "auto")
    assert await v2.submit(graph, intent, "auto") == first
    assert len(comfyui.engine.submitted) == 1


async def test_a_restart_of_the_proxy_loses_no_job_and_no_key(comfyui: ComfyUIServer, tmp_path: Path) -> None:
    stored: list[str] = []

    async def sending(intent: str) -> None:
        stored.append(intent)

    comfyui.engine.hold()
    async with proxy(comfyui.url, "--state-dir", str(tmp_path)) as url:
        before = workflow_on(url)
        remote_id = await before.start(make_request(), sending)
        await before.aclose()
    async with proxy(comfyui.url, "--state-dir", str(tmp_path)) as url:
        after = workflow_on(url)
        assert await after.find(stored[0], make_request(), nobody) == remote_id
        comfyui.engine.release()
        await finish(after, remote_id)
        assert (await after.fetch(remote_id, make_request())).images
        await after.aclose()


@pytest.mark.parametrize("which", ["running", "waiting"])
async def test_a_job_is_cancelled_by_its_id_and_no_other(
    comfyui: ComfyUIServer, backend: ComfyUIBackend, which: str
) -> None:
    comfyui.engine.hold()
    ids = [await backend.start(make_request(seed=seed)) for seed in (1, 2)]
    await until(lambda: comfyui.engine.running)
    mine, other = ids if which == "running" else ids[::-1]
    await backend.cancel(mine)
    comfyui.engine.release()
    await finish(backend, other)
    assert comfyui.engine.finished == [other]


async def test_a_picture_is_sent_once_and_goes_by_its_hash_after(comfyui: ComfyUIServer, url: str) -> None:
    backend = connect(url, options={"workflow": str(DATA / "workflows" / "img2img_sd15.api.json")})
    for seed in (1, 2):
        request = make_request(mode=Mode.IMG2IMG, init_image=picture(), denoising_strength=0.5, seed=seed)
        assert (await backend.generate(request, ignore)).images
    assert [path for _, path, _ in comfyui.requests].count("/upload/image") == 1
    await backend.aclose()


async def test_a_picture_whose_file_is_gone_is_sent_again(comfyui: ComfyUIServer, url: str) -> None:
    backend = connect(url, options={"workflow": str(DATA / "workflows" / "img2img_sd15.api.json")})
    request = make_request(mode=Mode.IMG2IMG, init_image=picture(), denoising_strength=0.5)
    await backend.generate(request, ignore)
    comfyui.engine.files.clear()
    comfyui.engine.cache.clear()
    with pytest.raises(BackendUnavailable, match="lost the picture"):
        await backend.generate(request, ignore)
    assert (await backend.generate(request, ignore)).images
    await backend.aclose()


async def test_a_token_is_asked_for(comfyui: ComfyUIServer) -> None:
    async with proxy(comfyui.url, "--token", "secret") as url:
        good, wrong = workflow_on(url, "secret"), workflow_on(url, "other")
        assert (await good.generate(make_request(), ignore)).images
        with pytest.raises(BackendAuthError):
            await wrong.capabilities()
        for made in (good, wrong):
            await made.aclose()


async def test_a_comfyui_that_is_away_is_told(comfyui: ComfyUIServer, backend: ComfyUIBackend) -> None:
    await comfyui.__aexit__()
    with pytest.raises(BackendUnavailable):
        await backend.capabilities()


async def test_what_comfyui_refuses_is_named(comfyui: ComfyUIServer, backend: ComfyUIBackend) -> None:
    comfyui.engine.info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [["other.safetensors"]]
    with pytest.raises(RequestRejected, match="no model"):
        await backend.generate(make_request(), ignore)


async def test_both_apis_at_one_address_draw_by_the_built_in_graphs(comfyui: ComfyUIServer, url: str) -> None:
    async with one_address(comfyui.url, url) as both:
        backend = connect(both)
        assert Mode.TXT2IMG in (await backend.capabilities()).modes
        result = await backend.generate(make_request(batch_size=2), ignore)
        assert [image.seed for image in result.images] == [812, 813]
        assert comfyui.engine.submitted[0].extra["client_id"] == comfyui.engine.submitted[0].id, "the proxy sent it"
        await backend.aclose()


async def test_a_proxy_killed_in_the_middle_loses_no_job(comfyui: ComfyUIServer) -> None:
    async with AsyncExitStack() as stack:
        living = AsyncExitStack()
        url = await living.enter_async_context(proxy(comfyui.url))
        both = await stack.enter_async_context(one_address(comfyui.url, url))
        backend = connect(both)
        comfyui.engine.hold()
        remote_id = await backend.start(make_request())
        await until(lambda: comfyui.engine.running)
        await living.aclose()
        assert not (await backend.poll(remote_id)).is_finished
        comfyui.engine.release()
        await finish(backend, remote_id)
        assert (await backend.fetch(remote_id, make_request())).images
        assert len(comfyui.engine.submitted) == 1
        await backend.aclose()


async def test_a_comfyui_before_cancelling_by_id_is_cancelled_by_the_classic_api() -> None:
    async with ComfyUIServer(version="0.3.64") as old, proxy(old.url) as url, one_address(old.url, url) as both:
        backend = connect(both)
        old.engine.hold()
        await backend.capabilities()
        running, waiting = [await backend.start(make_request(seed=seed)) for seed in (1, 2)]
        await until(lambda: old.engine.running)
        await backend.cancel(waiting)
        await backend.cancel(running)
        await until(lambda: old.engine.interrupted == [running])
        assert not old.engine.pending
        await backend.aclose()


@pytest.mark.skipif(not os.environ.get("EASEL_REAL_COMFYUI"), reason="EASEL_REAL_COMFYUI names no running ComfyUI")
async def test_a_real_comfyui_draws_through_the_proxy(tmp_path: Path) -> None:
    flow = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": 255}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "easel"}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(flow))
    async with proxy(os.environ["EASEL_REAL_COMFYUI"]) as url:
        backend = connect(url, options={"workflow": str(path)})
        fitted = fit(make_request(), await backend.capabilities())
        assert isinstance(fitted, Fit)
        (image,) = (await backend.generate(fitted.request, ignore)).images
        with Image.open(io.BytesIO(image.data)) as drawn:
            assert drawn.size == (64, 48)
        await backend.aclose()
