import json
from typing import Any

import pytest

from backends.comfyui.builtin.graphs import Uploads
from backends.comfyui.facts import read_facts
from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.apply import apply, workflow_capabilities
from backends.comfyui.workflows.workflow import (
    Mapping,
    Workflow,
    analyse,
    describe,
    mapping_from_json,
    mapping_to_json,
    read_workflow,
)
from generation.errors import CapabilityError, RequestRejected
from generation.request import Lora, Mode
from tests.backends.comfyui.rig import make_request
from tests.engines.comfyui_checks import check
from tests.engines.comfyui_engine import DATA, recorded

INFO = ObjectInfo(recorded("object_info"))
NAMES = sorted(path.name.removesuffix(".api.json") for path in (DATA / "workflows").iterdir())
SD15 = [name for name in NAMES if "flux" not in name and name != "upscale_uploaded_image"]


def graph_of(name: str) -> Graph:
    return read_workflow((DATA / "workflows" / f"{name}.api.json").read_bytes())


def mapping_of(name: str) -> Mapping:
    return analyse(graph_of(name), INFO)


def applied(name: str, uploads: Uploads | None = None, **changes: Any) -> Graph:
    mapping = mapping_of(name)
    return apply(graph_of(name), mapping, make_request(**changes), uploads or Uploads()).graph


@pytest.mark.parametrize("name", SD15)
def test_prompt_negative_and_settings_are_found_from_the_sampler_back(name: str) -> None:
    mapping = mapping_of(name)
    assert mapping.prompt == (Slot(node="6", input="text"),)
    assert mapping.negative == (Slot(node="7", input="text"),)
    assert mapping.seed[0] == Slot(node="3", input="seed")
    assert mapping.steps == Slot(node="3", input="steps")
    assert mapping.cfg_scale == Slot(node="3", input="cfg")
    assert mapping.sampler == Slot(node="3", input="sampler_name")
    assert mapping.model == Slot(node="4", input="ckpt_name")


@pytest.mark.parametrize("name", ["flux_dev_split_files", "flux_schnell_split_files"])
def test_settings_spread_over_several_nodes_are_found(name: str) -> None:
    mapping = mapping_of(name)
    assert mapping.seed == (Slot(node="25", input="noise_seed"),)
    assert mapping.steps == Slot(node="17", input="steps")
    assert mapping.sampler == Slot(node="16", input="sampler_name")
    assert mapping.guidance == Slot(node="26", input="guidance")
    assert mapping.model == Slot(node="12", input="unet_name")
    assert mapping.width == (Slot(node="27", input="width"),)
    assert mapping.negative == ()


def test_negative_side_made_of_the_prompt_is_no_negative_prompt() -> None:
    assert mapping_of("flux_plain_ksampler").negative == ()


def test_first_pass_decides_the_size_and_both_passes_get_the_seed() -> None:
    mapping = mapping_of("hires_fix_latent")
    assert mapping.width == (Slot(node="5", input="width"),)
    assert {slot.node for slot in mapping.seed} == {"3", "17"}
    assert mapping.steps == Slot(node="3", input="steps")


def test_loras_on_the_way_to_the_sampler_are_found() -> None:
    assert {slot.node for slot in mapping_of("two_loras").loras} == {"14", "15"}


@pytest.mark.parametrize(
    ("name", "needs", "masks", "alpha"),
    [
        ("txt2img_sd15", False, 0, 0),
        ("controlnet", False, 0, 0),
        ("img2img_sd15", True, 0, 0),
        ("inpaint_set_latent_noise_mask", True, 1, 0),
        ("inpaint_vae_encode_for_inpaint", True, 0, 1),
    ],
)
def test_input_pictures_and_masks_are_told_apart(name: str, needs: bool, masks: int, alpha: int) -> None:
    mapping = mapping_of(name)
    assert (mapping.needs_image, len(mapping.masks), len(mapping.mask_links)) == (needs, masks, alpha)


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("txt2img_sd15", {Mode.TXT2IMG}),
        ("img2img_sd15", {Mode.IMG2IMG}),
        ("controlnet", {Mode.TXT2IMG, Mode.IMG2IMG}),
        ("inpaint_set_latent_noise_mask", {Mode.IMG2IMG, Mode.INPAINT}),
    ],
)
def test_modes_follow_from_what_a_workflow_does_with_a_picture(name: str, modes: set[Mode]) -> None:
    facts = read_facts("0.33.0", INFO, {})
    workflow = Workflow(graph=graph_of(name), mapping=mapping_of(name))
    assert workflow_capabilities(workflow, facts, {}).modes == modes


def test_the_batch_size_becomes_1_and_frames_stay() -> None:
    assert inputs_of(applied("batch4", batch_size=2), "5")["batch_size"] == 1
    before = graph_of("animated_webp")
    counts = {node: inputs_of(before, node)["batch_size"] for node in before if "batch_size" in inputs_of(before, node)}
    graph = applied("animated_webp")
    assert counts
    assert {node: inputs_of(graph, node)["batch_size"] for node in counts} == counts


@pytest.mark.parametrize(
    ("name", "kind"),
    [("txt2img_sd15", "images"), ("animated_webp", "animation"), ("video_mp4", "video"),
     ("save_image_websocket", "images")],
)  # fmt: skip
def test_outputs_of_every_kind_are_found(name: str, kind: str) -> None:
    assert mapping_of(name).outputs == (("9", kind),)


def test_frames_of_an_animation_are_not_taken_for_a_batch() -> None:
    assert mapping_of("animated_webp").batch is None
    assert mapping_of("batch4").batch == Slot(node="5", input="batch_size")


def test_text_behind_a_primitive_node_is_found() -> None:
    graph = graph_of("txt2img_sd15")
    graph["50"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "a lighthouse"}}
    graph["51"] = {"class_type": "PrimitiveInt", "inputs": {"value": 7}}
    graph["6"]["inputs"]["text"] = ["50", 0]
    graph["3"]["inputs"]["seed"] = ["51", 0]
    mapping = analyse(graph, INFO)
    assert mapping.prompt == (Slot(node="50", input="value"),)
    assert mapping.seed == (Slot(node="51", input="value"),)


def test_both_texts_of_an_sdxl_encoder_are_the_prompt() -> None:
    graph = graph_of("txt2img_sdxl")
    sizes = {"width": 1024, "height": 1024, "crop_w": 0, "crop_h": 0, "target_width": 1024, "target_height": 1024}
    inputs = {"text_g": "a fox", "text_l": "a fox", "clip": ["4", 1], **sizes}
    graph["6"] = {"class_type": "CLIPTextEncodeSDXL", "inputs": inputs}
    assert {slot.input for slot in analyse(graph, INFO).prompt} == {"text_g", "text_l"}


@pytest.mark.parametrize("name", NAMES)
def test_mapping_survives_being_stored(name: str) -> None:
    mapping = mapping_of(name)
    assert mapping_from_json(json.loads(json.dumps(mapping_to_json(mapping))), graph_of(name)) == mapping


def test_correction_that_names_no_input_is_refused() -> None:
    with pytest.raises(RequestRejected, match="no input"):
        mapping_from_json({"steps": {"node": "3", "input": "stepz"}}, graph_of("txt2img_sd15"))


def test_mapping_is_shown_in_words() -> None:
    lines = describe(graph_of("txt2img_sd15"), mapping_of("txt2img_sd15"))
    assert "prompt: Positive (CLIPTextEncode), node 6, text" in lines
    assert "output: Save Image (node 9), images" in lines


@pytest.mark.parametrize("name", NAMES)
def test_workflow_with_a_request_in_it_is_taken_by_the_server(name: str) -> None:
    uploads = Uploads(init="easel/a.png [temp]", mask="easel/b.png [temp]", width=64, height=64)
    mapping = mapping_of(name)
    unmasked = Mode.IMG2IMG if mapping.images else Mode.TXT2IMG
    mode = Mode.INPAINT if mapping.masks or mapping.mask_links else unmasked
    loras = (Lora(name="tiny_style.safetensors"),) if mapping.model_link else ()
    graph = applied(name, uploads, mode=mode, loras=loras, denoising_strength=0.5)
    good, errors, stop = check(graph, INFO._classes, lambda reference: "[temp]" in reference)  # type: ignore[arg-type]
    assert stop is None
    assert not errors
    assert good


def test_values_of_the_request_are_put_where_they_belong() -> None:
    graph = applied("txt2img_sd15", negative_prompt="blurry", sampler="heun", model="sdxl_tiny.safetensors", steps=9)
    assert inputs_of(graph, "6")["text"] == "a red fox"
    assert inputs_of(graph, "7")["text"] == "blurry"
    assert inputs_of(graph, "3")["sampler_name"] == "heun"
    assert inputs_of(graph, "3")["scheduler"] == "normal"  # not asked for: as exported
    assert inputs_of(graph, "3")["steps"] == 9
    assert inputs_of(graph, "4")["ckpt_name"] == "sdxl_tiny.safetensors"


def test_more_loras_go_between_the_loader_and_all_that_used_it() -> None:
    graph = applied("two_loras", loras=(Lora(name="third.safetensors", weight=0.5),))
    (new,) = (node for node in graph if inputs_of(graph, node).get("lora_name") == "third.safetensors")
    assert inputs_of(graph, new)["model"] == ["4", 0]
    assert inputs_of(graph, "14")["model"] == [new, 0]
    assert inputs_of(graph, "14")["clip"] == [new, 1]
    assert inputs_of(graph, "8")["vae"] == ["4", 2]


def test_weight_of_a_lora_that_is_there_already_is_set() -> None:
    graph = applied("two_loras", loras=(Lora(name="tiny_style.safetensors", weight=0.25),))
    assert inputs_of(graph, "14")["strength_model"] == 0.25
    assert sum("lora_name" in inputs_of(graph, node) for node in graph) == 2


def test_mask_painted_into_the_picture_comes_from_our_mask() -> None:
    uploads = Uploads(init="a.png", mask="m.png")
    graph = applied("inpaint_vae_encode_for_inpaint", uploads, mode=Mode.INPAINT)
    (mask,) = (node for node in graph if class_of(graph, node) == "LoadImageMask")
    assert inputs_of(graph, mask) == {"image": "m.png", "channel": "red"}
    assert [mask, 0] in [inputs_of(graph, node).get("mask") for node in graph]


def test_pictures_for_the_websocket_are_made_into_files() -> None:
    assert class_of(graph_of("save_image_websocket"), "9") == "PreviewImage"


def test_workflow_itself_is_not_changed() -> None:
    graph = graph_of("txt2img_sd15")
    before = json.dumps(graph)
    apply(graph, analyse(graph, INFO), make_request(), Uploads())
    assert json.dumps(graph) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no json", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no workflow"),
        (b"{}", "no workflow"),
        (b'{"3": {"inputs": {}}}', "no workflow"),
    ],
)
def test_file_that_is_no_workflow_is_refused_with_the_way_to_get_one(content: bytes, says: str) -> None:
    with pytest.raises(RequestRejected, match=says) as caught:
        read_workflow(content)
    assert "Export (API)" in caught.value.hint


def test_body_of_a_prompt_call_is_taken_too() -> None:
    graph = graph_of("txt2img_sd15")
    assert read_workflow({"prompt": graph, "client_id": "x"}) == graph


def test_missing_nodes_are_named() -> None:
    graph = graph_of("txt2img_sd15")
    graph["3"]["class_type"] = "FancyKSampler"
    with pytest.raises(CapabilityError, match="FancyKSampler"):
        analyse(graph, INFO)


def test_missing_model_leaves_the_mapping_as_it_would_be() -> None:
    graph = graph_of("txt2img_sd15")
    graph["4"]["inputs"]["ckpt_name"] = "gone.safetensors"
    assert analyse(graph, INFO) == mapping_of("txt2img_sd15")


def test_missing_sampler_is_named() -> None:
    graph = graph_of("txt2img_sd15")
    graph["3"]["inputs"]["sampler_name"] = "gone"
    with pytest.raises(CapabilityError, match="no sampler “gone”"):
        analyse(graph, INFO)


def test_workflow_that_saves_nothing_is_refused() -> None:
    graph = graph_of("txt2img_sd15")
    del graph["9"]
    with pytest.raises(RequestRejected, match="saves nothing"):
        analyse(graph, INFO)


@pytest.mark.timeout(10)
def test_cycle_does_not_hang() -> None:
    graph = graph_of("two_loras")
    graph["14"]["inputs"]["model"] = ["15", 0]
    graph["14"]["inputs"]["clip"] = ["15", 1]
    analyse(graph, INFO)
