"""Pictures to start from, and finished ones, by ComfyUI's API v2."""

from dataclasses import replace

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.errors import (
    BackendUnavailable,
)
from generation.request import Mode
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.v2.rig import finish, paths, picture
from tests.engines.comfyui_v2 import ComfyUIV2Server


async def test_a_picture_is_sent_once_and_goes_by_its_hash_after(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    source = picture()
    for seed in (1, 2, 3):
        request = make_request(mode=Mode.IMG2IMG, init_image=source, denoising_strength=0.5, seed=seed)
        assert (await backend.generate(request, ignore)).images
    assert server.received == [source.data]
    assert [place[:2] for place in server.engine.files if place[0] == "input"] == [("input", "easel")]
    assert paths(server).count("POST /api/v2/assets/from-hash") == 2
    loaded = [
        node["inputs"]["image"]
        for node in server.accepted[0][1]["workflow"].values()
        if node["class_type"] == "LoadImage"
    ]
    assert [item["__type"] for item in loaded] == ["core/ASSET"]


async def test_a_server_that_has_forgotten_a_hash_is_sent_the_picture_again(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    source = picture()
    request = make_request(mode=Mode.IMG2IMG, init_image=source, denoising_strength=0.5)
    await backend.generate(request, ignore)
    server.restart_proxy()
    await backend.generate(replace(request, seed=5), ignore)
    assert server.received == [source.data] * 2


async def test_a_picture_whose_file_is_gone_is_sent_again_with_the_next_attempt(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """The proxy goes on to say that it has the bytes, though ComfyUI's folder was emptied."""
    request = make_request(mode=Mode.IMG2IMG, init_image=picture(), denoising_strength=0.5)
    await backend.generate(request, ignore)
    server.engine.files = {place: data for place, data in server.engine.files.items() if place[0] != "input"}
    server.engine.cache.clear()
    with pytest.raises(BackendUnavailable, match="lost the picture") as caught:
        await backend.generate(request, ignore)
    assert caught.value.retry_after == 0.0
    assert (await backend.generate(request, ignore)).images


async def test_words_that_look_like_a_picture_of_ours_stay_words(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    await backend.generate(make_request(prompt="core/ASSET 123"), ignore)
    texts = [node["inputs"].get("text") for node in server.accepted[0][1]["workflow"].values()]
    assert "core/ASSET 123" in texts


async def test_a_file_that_v2_does_not_list_is_had_by_the_classic_api(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """Nodes of third parties tell their videos under a name that the proxy passes over."""
    remote_id = await backend.start(make_request())
    await finish(backend, remote_id)
    ((node, reported),) = server.engine.history[remote_id]["outputs"].items()
    server.engine.history[remote_id]["outputs"][node] = {"video": reported["images"]}
    assert len((await backend.fetch(remote_id, make_request())).images) == 1


async def test_pictures_of_a_server_whose_links_lead_elsewhere_are_had(backend: ComfyUIBackend) -> None:
    """Behind a path of its own, the proxy builds links without it; ids are followed, not links."""
    async with ComfyUIV2Server(prefix="/gpu/comfy") as server:
        under = connect(server)
        assert (await under.generate(make_request(), ignore)).images
        await under.aclose()
