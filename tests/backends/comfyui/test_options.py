"""Inputs of nodes as options of a workflow: named by hand or found, checked by the server's limits, put in place."""

import json
from typing import Any

import pytest

from backends.comfyui.backend import ComfyUIBackend
from backends.comfyui.graphs.graph import Slot
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.options import offered
from backends.comfyui.workflows.workflow import analyse, describe, read_workflow
from generation.capabilities import Fit, Refused, fit_workflow
from generation.errors import RequestRejected
from generation.request import WorkflowRef
from generation.workflow_options import WorkflowOption
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.test_own import exported, uploaded
from tests.backends.comfyui.test_workflow import INFO, graph_of
from tests.engines.comfyui_engine import DATA, recorded
from tests.engines.comfyui_server import ComfyUIServer


async def corrected(backend: ComfyUIBackend, field: str, place: str, content: bytes | None = None) -> WorkflowRef:
    read = await backend.correct_workflow(await uploaded(backend, content), field, place)
    return WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)


async def lines_of(workflow: WorkflowRef, backend: ComfyUIBackend) -> str:
    return "\n".join((await backend.correct_workflow(workflow, "prompt", "6.text")).lines)


@pytest.mark.parametrize(
    ("field", "place"),
    [("option detail", "3.denoise --range 0..2"), ("option", "detail 3.denoise --range 0..2"),
     ("Option", "--detail 3.denoise —range 0…2"), ("option detail", "3.denoise --range=0..2")],
)  # fmt: skip
async def test_an_input_becomes_an_option_that_is_shown_and_drawn_with(field: str, place: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await corrected(backend, field, place)
        assert "option --detail: KSampler, node 3, denoise, 0 to 2" in await lines_of(workflow, backend)
        can = await backend.workflow_capabilities(workflow)
        assert can.options == (WorkflowOption(name="detail", kind="number", low=0, high=1, default="1"),)
        fitted = fit_workflow(make_request(workflow=workflow, options=(("detail", "0,25"),)), can)
        assert isinstance(fitted, Fit)
        assert fitted.request.options == (("detail", "0.25"),)
        await backend.generate(fitted.request, ignore)
        assert server.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 0.25
        await backend.generate(make_request(workflow=workflow), ignore)
        assert server.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 1
        await backend.aclose()


async def test_limits_and_choices_are_the_server_s_own() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await corrected(backend, "option how_many", "3.steps")
        for field, place in (("option mood", "3.sampler_name"), ("option words", "9.filename_prefix")):
            read = await backend.correct_workflow(workflow, field, place)
            workflow = WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)
        how_many, mood, words = (await backend.workflow_capabilities(workflow)).options
        assert (how_many.kind, how_many.low, how_many.high) == ("whole", 1, 10000)
        assert (mood.kind, mood.default, "euler" in mood.choices) == ("choice", "euler", True)
        assert (words.kind, words.low, words.choices) == ("text", None, ())
        await backend.aclose()


@pytest.mark.parametrize(
    ("reply", "why"),
    [(("how_many", "0"), "from 1 to 10000"), (("how_many", "2.5"), "a whole number"), (("how_many", "many"), "“many”"),
     (("mood", "nonsense"), "euler"), (("how_many", ""), "empty"), (("how_many", "1e400"), "a whole number")],
)  # fmt: skip
async def test_a_value_that_cannot_be_is_refused_by_name(reply: tuple[str, str], why: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        first = await corrected(backend, "option how_many", "3.steps")
        read = await backend.correct_workflow(first, "option mood", "3.sampler_name")
        workflow = WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)
        can = await backend.workflow_capabilities(workflow)
        fitted = fit_workflow(make_request(workflow=workflow, options=(reply,)), can)
        assert isinstance(fitted, Refused)
        assert f"--{reply[0]} cannot be" in fitted.reasons[0]
        assert why in fitted.reasons[0]
        await backend.aclose()


@pytest.mark.parametrize(
    ("field", "place", "why"),
    [
        ("option size", "3.steps", "one of Easel's own options already. “size_3” is free"),
        ("option backend", "3.denoise --range 0..2", "“backend_3” is free"), ("option seed", "3.seed", "own options"),
        ("option no", "3.steps", "own options already"), ("option chaos", "3.steps", "own options already"),
        ("option 3d", "3.steps", "letters, digits"), ("option a.b", "3.steps", "letters, digits"),
        ("option Ä", "3.steps", "letters, digits"),
        ("option detail", "", "needs a name and a place"), ("option", "detail", "needs a name and a place"),
        ("option detail", "99.steps", "no node “99”"), ("option detail", "3.nothing", "no input “nothing”"),
        ("option detail", "3.model", "from another node"), ("option detail", "none", "no option “detail”"),
        ("option detail", "3.steps --range 2..0", "leaves nothing to choose"),
        ("option detail", "3.steps --range a..b", "no range that can be read"),
        ("option detail", "3.sampler_name --range 0..2", "Only numbers have a range"),
    ],
)  # fmt: skip
async def test_what_cannot_be_an_option_is_refused(field: str, place: str, why: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        with pytest.raises(RequestRejected, match=why.replace("(", r"\(")):
            await corrected(backend, field, place)
        await backend.aclose()


async def test_an_option_may_go_to_several_places() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await corrected(backend, "option amount", "3.denoise, 3.cfg --range 0..1")
        can = await backend.workflow_capabilities(workflow)
        fitted = fit_workflow(make_request(workflow=workflow, options=(("amount", "0.5"),)), can)
        assert isinstance(fitted, Fit)
        await backend.generate(fitted.request, ignore)
        inputs = server.engine.submitted[-1].graph["3"]["inputs"]
        assert (inputs["denoise"], inputs["cfg"]) == (0.5, 0.5)
        await backend.aclose()


async def test_an_option_is_replaced_and_taken_away() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await corrected(backend, "option detail", "3.denoise")
        for place, left in (("3.steps", "node 3, steps"), ("none", "")):
            read = await backend.correct_workflow(workflow, "option detail", place)
            workflow = WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)
            options = [line for line in read.lines if line.startswith("option")]
            assert [line.partition("KSampler, ")[2] for line in options] == ([left] if left else [])
        await backend.aclose()


async def test_an_unknown_option_is_told_with_those_there_are() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await corrected(backend, "option detail", "3.denoise")
        can = await backend.workflow_capabilities(workflow)
        reply = (("other", "1"), ("detial", "1"), ("frames", "3"))
        fitted = fit_workflow(make_request(workflow=workflow, options=reply), can)
        assert isinstance(fitted, Fit)
        assert fitted.request.options == ()
        assert "unknown option --other ignored: this workflow has --detail" in fitted.notes
        assert any(note.startswith("--frames ignored") for note in fitted.notes)
        await backend.aclose()


def moving(**changes: dict[str, Any]) -> list[str]:
    graph = graph_of("video_mp4") | changes
    return [line for line in describe(graph, analyse(graph, INFO)) if line.startswith("option")]


def test_frames_and_fps_of_a_video_are_options() -> None:
    frames, fps = moving()
    assert (frames[:16], frames.rpartition(", ")[2]) == ("option --frames:", "batch_size")
    assert (fps[:13], fps.rpartition(", ")[2]) == ("option --fps:", "fps")


def test_a_video_s_own_length_wins_over_the_batch() -> None:
    latent = next(node for node, about in graph_of("video_mp4").items() if "batch_size" in about["inputs"])
    inputs = {"width": 640, "height": 640, "length": ["90", 0], "batch_size": 1}
    number = {"class_type": "PrimitiveInt", "inputs": {"value": 81}}
    kept = graph_of("video_mp4")[latent]["class_type"]
    (frames, _) = moving(**{latent: {"class_type": kept, "inputs": inputs}, "90": number})
    assert frames == "option --frames: PrimitiveInt, node 90, value"


def test_an_animatediff_graph_keeps_its_checkpoint_for_the_model_and_has_frames_and_fps() -> None:
    graph = graph_of("txt2img_sd15")
    graph["5"]["inputs"]["batch_size"] = 16
    motion = {"model": ["4", 0], "model_name": "mm_sd_v15_v2.ckpt", "beta_schedule": "autoselect"}
    graph["60"] = {"class_type": "ADE_AnimateDiffLoaderGen1", "inputs": motion}
    graph["3"]["inputs"]["model"] = ["60", 0]
    graph["9"] = {
        "class_type": "VHS_VideoCombine",
        "inputs": {"images": ["8", 0], "frame_rate": 8, "format": "video/h264-mp4", "save_output": True},
    }
    text, number = ["STRING", {}], ["INT", {"min": 1}]
    loader = {"input": {"required": {"model": ["MODEL"], "model_name": text, "beta_schedule": text}}}
    combine = {"input": {"required": {"images": ["IMAGE"], "frame_rate": number}}, "output_node": True}
    classes = {"ADE_AnimateDiffLoaderGen1": loader | {"output": ["MODEL"]}, "VHS_VideoCombine": combine}
    mapping = analyse(graph, ObjectInfo(recorded("object_info") | classes))
    assert mapping.model == Slot(node="4", input="ckpt_name")
    assert {option.name: option.slots for option in mapping.options} == {
        "frames": (Slot(node="5", input="batch_size"),), "fps": (Slot(node="9", input="frame_rate"),),
    }  # fmt: skip
    assert (mapping.batch, mapping.outputs) == (None, (("9", "animation"),))


def test_a_still_picture_has_neither() -> None:
    graph = graph_of("batch4")
    assert analyse(graph, INFO).options == ()


async def test_frames_of_a_video_are_drawn_with() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await uploaded(backend, exported("animated_webp"))
        can = await backend.workflow_capabilities(workflow)
        assert {option.name: option.kind for option in can.options} == {"frames": "whole", "fps": "number"}
        request = make_request(workflow=workflow, options=(("frames", "7"), ("fps", "12")))
        fitted = fit_workflow(request, can)
        assert isinstance(fitted, Fit)
        await backend.generate(fitted.request, ignore)
        sent = json.dumps(server.engine.submitted[-1].graph)
        assert '"batch_size": 7' in sent
        assert '"fps": 12.0' in sent
        await backend.aclose()


def test_a_text_to_video_graph_of_two_samplers_is_shown_with_its_length_and_speed() -> None:
    graph = read_workflow((DATA.parent / "cases" / "19-video-only.json").read_bytes())
    side = ["INT", {"min": 16, "max": 16384}]
    latent = {"width": side, "height": side, "length": ["INT", {"min": 1, "max": 16384, "step": 4}]}
    classes = dict(recorded("object_info"))
    classes["EmptyHunyuanLatentVideo"] = {"input": {"required": latent}}
    for loader, name in (("UNETLoader", "unet_name"), ("CLIPLoader", "clip_name"), ("VAELoader", "vae_name")):
        classes[loader] = {"input": {"required": {name: ["STRING", {}]}}}
    info = ObjectInfo(classes)
    mapping = analyse(graph, info)
    lines = describe(graph, mapping)
    assert "option --frames: EmptyHunyuanLatentVideo, node 74, length" in lines
    assert "option --fps: CreateVideo, node 88, fps" in lines
    assert "output: SaveVideo (node 80), video" in lines
    assert not [line for line in lines if "can be shown" in line]
    frames, fps = offered(graph, mapping.options, info)
    assert (frames.low, frames.high, frames.default, fps.default) == (1, 16384, "81", "16")
