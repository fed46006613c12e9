"""Several input pictures in a workflow that has a place for each: in order, and what stays of the export is said."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.capabilities import Fit, fit_workflow
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage, WorkflowRef
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.test_jobs import picture
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer

PLACES = ("30", "31", "32")  # LoadImage nodes: what is drawn over, and two that steer


def three_pictures() -> bytes:
    """Return a graph of our own that draws over one picture after two others."""
    graph: dict[str, Any] = json.loads((DATA / "workflows" / "txt2img_sd15.api.json").read_text())
    for node in PLACES:
        graph[node] = {"class_type": "LoadImage", "inputs": {"image": f"of-the-export-{node}.png"}}
    graph["40"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["30", 0], "vae": ["4", 2]}}
    graph["50"] = {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "tiny_controlnet.safetensors"}}
    graph["3"]["inputs"] |= {"latent_image": ["40", 0], "positive": ["52", 0], "negative": ["52", 1]}
    before: list[Any] = [["6", 0], ["7", 0]]
    for node, image in (("51", "31"), ("52", "32")):  # in the order in which they steer
        steered = {"positive": before[0], "negative": before[1], "control_net": ["50", 0], "image": [image, 0]}
        limits = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0, "vae": ["4", 2]}
        graph[node] = {"class_type": "ControlNetApplyAdvanced", "inputs": steered | limits}
        before = [[node, 0], [node, 1]]
    return json.dumps(graph).encode()


@pytest.fixture
async def server() -> AsyncIterator[ComfyUIServer]:
    async with ComfyUIServer() as made:
        lists = made.engine.info["ControlNetLoader"]["input"]["required"]["control_net_name"]
        names = lists[0] if isinstance(lists[0], list) else lists[1]["options"]
        names.append("tiny_controlnet.safetensors")
        yield made


@pytest.fixture
async def backend(server: ComfyUIServer) -> AsyncIterator[ComfyUIBackend]:
    made = connect(server)
    yield made
    await made.aclose()


async def workflow(backend: ComfyUIBackend) -> WorkflowRef:
    read = await backend.read_workflow(three_pictures())
    line = next(line for line in read.lines if line.startswith("images: "))
    assert [line.index(f"node {node}") for node in PLACES] == sorted(line.index(f"node {node}") for node in PLACES)
    return WorkflowRef(name="three", id="1", graph=read.graph, mapping=read.mapping)


def asked(own: WorkflowRef, pictures: list[SourceImage]) -> GenerationRequest:
    first, *more = pictures
    return make_request(workflow=own, mode=Mode.IMG2IMG, init_image=first, more_images=tuple(more))


def loaded(server: ComfyUIServer) -> list[str]:
    graph = server.engine.submitted[-1].graph
    return [graph[node]["inputs"]["image"] for node in PLACES]


def reference(image: SourceImage) -> str:
    return f"easel/{image.media_id[:32]}.png [temp]"


async def test_pictures_go_to_the_places_in_order(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    own = await workflow(backend)
    can = await backend.workflow_capabilities(own)
    assert can.max_images == 3
    pictures = [picture(64, 64), picture(32, 16), picture(16, 32)]
    fitted = fit_workflow(asked(own, pictures), can)
    assert isinstance(fitted, Fit)
    assert fitted.notes == ()
    assert (await backend.generate(fitted.request, ignore)).images
    assert loaded(server) == [reference(image) for image in pictures]


async def test_fewer_leave_the_rest_as_exported_which_is_said_where_the_file_is_missing(
    server: ComfyUIServer, backend: ComfyUIBackend
) -> None:
    own = await workflow(backend)
    server.engine.info["LoadImage"]["input"]["required"]["image"][0][:] = ["of-the-export-31.png"]
    server.engine.files["input", "", "of-the-export-31.png"] = picture(8, 8).data
    other = connect(server)
    notes = await other.look_over(own, asked(own, [picture(64, 64)]))
    (note,) = notes
    assert note.startswith("picture 3 (node 32, image) stays “of-the-export-32.png” of the export")
    with pytest.raises(RequestRejected, match=r"does not find the picture “of-the-export-32\.png” that the workflow"):
        await other.generate(asked(own, [picture(64, 64)]), ignore)
    server.engine.info["LoadImage"]["input"]["required"]["image"][0].append("of-the-export-32.png")
    server.engine.files["input", "", "of-the-export-32.png"] = picture(8, 8).data
    assert await other.look_over(own, asked(own, [picture(64, 64)])) == ()
    assert (await other.generate(asked(own, [picture(64, 64)]), ignore)).images
    assert loaded(server)[1:] == ["of-the-export-31.png", "of-the-export-32.png"]
    await other.aclose()


async def test_more_than_there_are_places_are_counted(backend: ComfyUIBackend) -> None:
    own = await workflow(backend)
    pictures = [picture(side, side) for side in (64, 32, 16, 8, 4)]
    fitted = fit_workflow(asked(own, pictures), await backend.workflow_capabilities(own))
    assert isinstance(fitted, Fit)
    assert len(fitted.request.more_images) == 2
    assert fitted.notes == ("2 more pictures ignored: 3 pictures are drawn from",)


async def test_built_in_graphs_draw_from_one(server: ComfyUIServer, backend: ComfyUIBackend) -> None:
    assert (await backend.capabilities()).max_images == 1
    first, second = picture(64, 64), picture(32, 32)
    await backend.generate(make_request(mode=Mode.IMG2IMG, init_image=first, more_images=(second,)), ignore)
    assert ("temp", "easel", f"{second.media_id[:32]}.png") not in server.engine.files
