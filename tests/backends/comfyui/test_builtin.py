import re
from pathlib import Path
from typing import Any

import pytest

from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.builtin.graphs import Uploads, build, changes
from backends.comfyui.builtin.offer import to_capabilities
from backends.comfyui.facts import ComfyFacts, family_of, read_facts, read_version
from backends.comfyui.graphs.graph import Graph, spread
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.capabilities import Fit, fit
from generation.errors import CapabilityError
from generation.request import Lora, MaskFill, Mode
from tests.backends.comfyui.rig import make_request
from tests.engines.comfyui_checks import check
from tests.engines.comfyui_engine import recorded

RAW = recorded("object_info")
SD3_MODEL, FILL = "sd3.5_large.safetensors", "flux1-fill-dev.safetensors"
UPLOADS = Uploads(init="easel/a.png [temp]", mask="easel/b.png [temp]", width=80, height=60)
FAMILIES = {
    ModelFamily.SD15: "sd15_tiny.safetensors",
    ModelFamily.SDXL: "sdxl_tiny.safetensors",
    ModelFamily.FLUX: "flux1-tiny-dev.safetensors",
    ModelFamily.SCHNELL: "flux1-tiny-schnell.safetensors",
    ModelFamily.SD3: SD3_MODEL,
}


def rich_info() -> dict[str, Any]:
    """The recorded lists and the files of an SD 3.5 and a Flux Fill besides."""
    info = recorded("object_info")
    info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0].append(SD3_MODEL)
    info["UNETLoader"]["input"]["required"]["unet_name"][0].append(FILL)
    for node in ("DualCLIPLoader", "TripleCLIPLoader", "CLIPLoader"):
        for name, spec in info[node]["input"]["required"].items():
            if name.startswith("clip_name"):
                (spec[0] if isinstance(spec[0], list) else spec[1]["options"]).append("clip_g.safetensors")
    return info  # type: ignore[no-any-return]


RICH = rich_info()


def facts_of(raw: dict[str, Any] = RICH, **options: str) -> ComfyFacts:
    return read_facts("0.33.0", ObjectInfo(raw), options)


def built(facts: ComfyFacts | None = None, options: dict[str, str] | None = None, **changes: Any) -> Graph:
    facts = facts or facts_of()
    request = make_request(**changes)
    drawing = build(request, facts, options or {}, UPLOADS)
    return spread(drawing.graph, drawing.seeds, request.seed, request.batch_size)


def node(graph: Graph, class_type: str) -> dict[str, Any]:
    (found,) = (reported["inputs"] for reported in graph.values() if reported["class_type"] == class_type)
    return dict(found)


def classes(graph: Graph) -> list[str]:
    return [reported["class_type"] for reported in graph.values()]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("family", list(ModelFamily))
def test_graph_of_every_family_and_mode_is_taken_by_the_server(family: ModelFamily, mode: Mode) -> None:
    loras = (Lora(name="tiny_style.safetensors"), Lora(name="sub/other_style.safetensors", weight=-0.5))
    graph = built(
        mode=mode, model=FAMILIES[family], loras=loras, batch_size=2, clip_skip=2, vae="tae_tiny.safetensors",
        sampler="dpmpp_2m", denoising_strength=0.6,
    )  # fmt: skip
    good, errors, stop = check(graph, RICH, lambda reference: "[temp]" in reference)
    assert stop is None
    assert not errors
    assert len(good) == (1 if mode is Mode.UPSCALE else 2)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("v1-5-pruned-emaonly.safetensors", None), ("sd_xl_base_1.0.safetensors", ModelFamily.SDXL),
        ("SDXL\\ponyDiffusionV6XL.safetensors", ModelFamily.SDXL), ("illustriousXL_v01.safetensors", ModelFamily.SDXL),
        ("flux1-dev-fp8.safetensors", ModelFamily.FLUX), ("flux1-schnell.safetensors", ModelFamily.SCHNELL),
        ("sd3.5_large_fp8_scaled.safetensors", ModelFamily.SD3), ("sd3_medium.safetensors", ModelFamily.SD3),
        ("flux2-dev.safetensors", None), ("wan2.1_t2v.safetensors", None), ("sd_xl_refiner_1.0.safetensors", None),
    ],
)  # fmt: skip
def test_family_is_read_from_the_file_name(name: str, family: ModelFamily | None) -> None:
    assert family_of(name) is family


def families_of_the_page() -> list[list[str]]:
    text = Path("docs/backends/comfyui.md").read_text(encoding="utf-8")
    table = text[text.index("| family | told by") : text.index("- Flux takes no")].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize(("title", "told_by", "_", "usual"), families_of_the_page())
def test_families_are_told_and_drawn_as_the_page_has_it(title: str, told_by: str, _: str, usual: str) -> None:
    name = {
        "SD 1.5": ModelFamily.SD15,
        "SDXL": ModelFamily.SDXL,
        "SD 3.5": ModelFamily.SD3,
        "Flux dev": ModelFamily.FLUX,
        "Flux schnell": ModelFamily.SCHNELL,
    }[title]
    for word in re.findall("`(.+?)`", told_by):
        assert family_of(f"my_{word}_v1.safetensors") is name
    facts = facts_of(model=FAMILIES[name])
    assert facts.models[0].family is name
    can = to_capabilities(facts, {})
    cfg_scale = 1.0 if usual.endswith("none") else float(usual.rpartition(" ")[2])
    assert [can.default_width, can.default_steps] == [int(item) for item in usual.split(", ")[:2]]
    assert can.default_cfg_scale == cfg_scale


def test_later_models_are_not_listed_where_they_are_no_checkpoints() -> None:
    raw = recorded("object_info")
    names = ["flux2-dev.safetensors", "qwen_image.safetensors", "chroma-v1.safetensors", "wan2.1_t2v.safetensors"]
    raw["UNETLoader"]["input"]["required"]["unet_name"][0].extend(names)
    listed = [model.name for model in to_capabilities(facts_of(raw), {}).models or ()]
    assert not set(names) & set(listed)
    assert "flux1-tiny-dev.safetensors" in listed


@pytest.mark.parametrize(("cfg_scale", "guidance"), [(1.5, 1.5), (5.0, 5.0), (5.5, 3.5), (12.0, 3.5)])
def test_a_cfg_scale_up_to_5_steers_flux(cfg_scale: float, guidance: float) -> None:
    graph = built(model=FAMILIES[ModelFamily.FLUX], cfg_scale=cfg_scale)
    assert node(graph, "FluxGuidance")["guidance"] == guidance


def test_what_it_has_none_of_is_dropped_with_a_word_and_a_prompt_is_sent_as_typed() -> None:
    request = make_request(
        prompt="[a fox] AND a wolf BREAK snow", styles=("Ink",), mask_fill=MaskFill.NOISE, only_masked=True
    )
    bent = fit(request, to_capabilities(facts_of(), {}))
    assert isinstance(bent, Fit)
    assert (bent.request.styles, bent.request.mask_fill, bent.request.only_masked) == ((), None, None)
    assert len(bent.notes) == 3
    graph = built(prompt=bent.request.prompt)
    assert "[a fox] AND a wolf BREAK snow" in [reported["inputs"].get("text") for reported in graph.values()]


def test_family_can_be_set_by_the_owner() -> None:
    assert {model.family for model in facts_of(family="sdxl").models} == {ModelFamily.SDXL}


@pytest.mark.parametrize(
    ("text", "version"), [("0.33.0", (0, 33, 0)), ("v0.3.44-2-gabc", (0, 3, 44)), ("", ()), ("unknown", ())]
)
def test_version_is_read(text: str, version: tuple[int, ...]) -> None:
    assert read_version(text) == version


def test_capabilities_are_those_of_the_recorded_server() -> None:
    can = to_capabilities(facts_of(RAW), {})
    assert can.models is not None
    assert "flux1-tiny-dev.safetensors" in [model.name for model in can.models]
    assert can.modes == frozenset(Mode) - {Mode.RESTYLE}
    assert can.loras == ("sub/other_style.safetensors", "tiny_style.safetensors")
    assert "pixel_space" not in (can.vaes or ())
    assert (can.default_width, can.default_cfg_scale) == (512, 7.0)


def test_chosen_model_comes_first_and_decides_the_defaults() -> None:
    can = to_capabilities(facts_of(model="flux1-tiny-schnell"), {})
    assert can.models is not None
    assert can.models[0].name == "flux1-tiny-schnell.safetensors"
    assert (can.default_width, can.default_steps, can.size_grid) == (1024, 4, 16)


def test_server_without_models_or_upscalers_offers_no_mode() -> None:
    bare = recorded("object_info")
    for name, key in (("CheckpointLoaderSimple", "ckpt_name"), ("UNETLoader", "unet_name")):
        bare[name]["input"]["required"][key] = [[], {}]
    bare["UpscaleModelLoader"]["input"]["required"]["model_name"] = ["COMBO", {"options": []}]
    assert to_capabilities(facts_of(bare), {}).modes == frozenset()


def test_names_of_samplers_from_elsewhere_are_found_on_this_server() -> None:
    bent = fit(make_request(sampler="DPM++ 2M Karras"), to_capabilities(facts_of(RAW), {}))
    assert isinstance(bent, Fit)
    sampler = node(built(sampler=bent.request.sampler, scheduler=bent.request.scheduler), "KSampler")
    assert (sampler["sampler_name"], sampler["scheduler"]) == ("dpmpp_2m", "karras")


def test_flux_samples_at_cfg_1_with_its_own_guidance() -> None:
    graph = built(model=FAMILIES[ModelFamily.FLUX], cfg_scale=2.5, negative_prompt="blurry")
    assert node(graph, "KSampler")["cfg"] == 1.0
    assert node(graph, "FluxGuidance")["guidance"] == 2.5
    assert classes(graph).count("CLIPTextEncode") == 1


def test_cfg_scale_meant_for_other_models_does_not_burn_flux() -> None:
    request = make_request(model=FAMILIES[ModelFamily.FLUX], cfg_scale=7.0, negative_prompt="blurry")
    assert node(built(model=FAMILIES[ModelFamily.FLUX], cfg_scale=7.0), "FluxGuidance")["guidance"] == 3.5
    notes = " ".join(changes(request, facts_of()))
    assert "guidance 3.5" in notes
    assert "negative prompt ignored" in notes


def test_missing_parts_of_flux_are_named() -> None:
    bare = recorded("object_info")
    for name in ("clip_name1", "clip_name2"):
        bare["DualCLIPLoader"]["input"]["required"][name][0] = ["clip_l.safetensors"]
    with pytest.raises(CapabilityError, match="T5 text encoder") as caught:
        built(facts_of(bare), model=FAMILIES[ModelFamily.FLUX])
    assert "text_encoders" in caught.value.owner_hint


def test_parts_of_flux_can_be_chosen_by_the_owner() -> None:
    graph = built(options={"t5": "t5xxl_tiny", "vae": "tae_tiny"}, model=FAMILIES[ModelFamily.FLUX])
    assert node(graph, "VAELoader")["vae_name"] == "tae_tiny.safetensors"


def test_sd3_uses_separate_text_encoders_where_all_three_are_there() -> None:
    assert "TripleCLIPLoader" in classes(built(model=SD3_MODEL))
    without = recorded("object_info")
    without["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0].append(SD3_MODEL)
    assert "TripleCLIPLoader" not in classes(built(facts_of(without), model=SD3_MODEL))


@pytest.mark.parametrize(("model", "node_class"), [("sd15_tiny_inpaint.safetensors", True), (None, False)])
def test_inpainting_models_get_the_conditioning_made_for_them(model: str | None, node_class: bool) -> None:
    graph = built(mode=Mode.INPAINT, model=model)
    assert ("InpaintModelConditioning" in classes(graph)) is node_class
    assert ("SetLatentNoiseMask" in classes(graph)) is not node_class


def test_flux_fill_gets_the_guidance_it_was_made_for() -> None:
    assert node(built(mode=Mode.INPAINT, model=FILL), "FluxGuidance")["guidance"] == 30.0


def test_white_of_the_mask_is_what_changes_and_the_rest_is_put_back() -> None:
    graph = built(mode=Mode.INPAINT, denoising_strength=1.0)
    put_back = node(graph, "ImageCompositeMasked")
    assert graph[put_back["destination"][0]]["class_type"] == "ImageScale"
    assert graph[put_back["source"][0]]["class_type"] == "VAEDecode"
    assert graph[put_back["mask"][0]]["inputs"]["channel"] == "red"


@pytest.mark.parametrize(("asked", "sent"), [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (None, 0.75)])
def test_strength_means_what_it_means_elsewhere(asked: float | None, sent: float) -> None:
    assert node(built(mode=Mode.IMG2IMG, denoising_strength=asked), "KSampler")["denoise"] == sent


def test_source_is_cut_to_the_asked_size_not_stretched() -> None:
    scale = node(built(mode=Mode.IMG2IMG), "ImageScale")
    assert (scale["width"], scale["height"], scale["crop"]) == (64, 64, "center")


def test_upscaling_gives_the_asked_factor_whatever_the_model_s_own_is() -> None:
    scale = node(built(mode=Mode.UPSCALE, upscale_factor=1.5), "ImageScale")
    assert (scale["width"], scale["height"]) == (120, 90)


def test_pictures_are_left_on_the_server_only_where_its_owner_wants_that() -> None:
    assert "SaveImage" not in classes(built())
    assert "SaveImage" in classes(built(options={"save_on_server": "yes"}))


def test_model_that_is_not_there_is_another_engine_s_business() -> None:
    with pytest.raises(CapabilityError, match="nope"):
        built(model="nope")
