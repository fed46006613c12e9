from typing import Any

import pytest

from backends.comfyui.builtin.extras import name_embeddings
from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.builtin.graphs import Uploads, build, changes
from backends.comfyui.builtin.offer import to_capabilities
from backends.comfyui.facts import ComfyFacts, read_facts
from backends.comfyui.graphs.graph import Graph, samplers, spread
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.capabilities import Fit, fit
from generation.errors import CapabilityError
from generation.request import ControlUnit, HiresFix, SourceImage
from tests.backends.comfyui.rig import make_request
from tests.backends.comfyui.test_builtin import FAMILIES, RICH, classes, node
from tests.engines.comfyui_checks import check
from tests.engines.comfyui_engine import recorded

REFERENCE = "easel/c.png [temp]"
SDXL_CANNY = "controlnet-canny-sdxl.safetensors"


def facts_of(*control: str) -> ComfyFacts:
    raw = recorded("object_info")
    raw["ControlNetLoader"]["input"]["required"]["control_net_name"][0] = list(control)
    return read_facts("0.33.0", ObjectInfo(raw), {}, ["tiny_embed"])


def unit(kind: str, **changes: Any) -> ControlUnit:
    return ControlUnit(kind=kind, image=SourceImage.of(b"x"), **changes)


def built(facts: ComfyFacts, **changes: Any) -> Graph:
    request = make_request(**changes)
    uploads = Uploads(control=(REFERENCE,) * len(request.control))
    drawing = build(request, facts, {}, uploads)
    return spread(drawing.graph, drawing.seeds, request.seed, request.batch_size)


@pytest.mark.parametrize("family", list(ModelFamily))
@pytest.mark.parametrize("upscaler", [None, "Latent", "4x_tiny_esrgan.safetensors"])
def test_hires_fix_of_every_kind_is_taken_by_the_server(family: ModelFamily, upscaler: str | None) -> None:
    rich = read_facts("0.33.0", ObjectInfo(RICH), {})
    graph = built(rich, model=FAMILIES[family], hires=HiresFix(factor=1.5, upscaler=upscaler), batch_size=2)
    good, errors, stop = check(graph, RICH, lambda _: True)
    assert stop is None
    assert not errors
    assert len(good) == 2
    assert len(samplers(graph)) == 4


def test_second_pass_is_larger_and_has_its_own_strength_and_steps_but_the_same_seed() -> None:
    graph = built(facts_of(), hires=HiresFix(factor=2.0, denoising_strength=0.4, steps=7))
    first, second = (graph[item]["inputs"] for item in samplers(graph))
    assert (first["denoise"], first["steps"], second["denoise"], second["steps"]) == (1.0, 4, 0.4, 7)
    assert first["seed"] == second["seed"]
    scale = node(graph, "ImageScale")
    assert (scale["width"], scale["height"]) == (128, 128)


def test_kinds_of_control_are_those_there_is_a_model_for() -> None:
    can = to_capabilities(facts_of("control_v11p_sd15_canny.pth", "t2i_depth.safetensors"), {})
    assert can.control_kinds == ("canny", "depth")
    assert to_capabilities(facts_of(), {}).control_kinds == ()


def test_edges_are_drawn_by_the_server_and_other_maps_taken_as_they_are() -> None:
    facts = facts_of("control_v11p_sd15_canny.pth", "control_v11f1p_sd15_depth.pth")
    edges, depth = built(facts, control=(unit("canny"),)), built(facts, control=(unit("depth", weight=0.5),))
    assert "Canny" in classes(edges)
    assert "Canny" not in classes(depth)
    assert node(depth, "ControlNetApplyAdvanced")["strength"] == 0.5
    assert node(depth, "LoadImage")["image"] == REFERENCE
    notes = changes(make_request(control=(unit("depth"),)), facts)
    assert notes == ["ControlNet depth: the picture is taken as a finished depth map"]


def test_several_units_are_chained() -> None:
    facts = facts_of("control_v11p_sd15_canny.pth", "control_v11f1p_sd15_depth.pth")
    graph = built(facts, control=(unit("canny"), unit("depth")))
    applied = [reported["inputs"] for reported in graph.values() if reported["class_type"] == "ControlNetApplyAdvanced"]
    assert graph[applied[1]["positive"][0]]["class_type"] == "ControlNetApplyAdvanced"
    (sampler,) = samplers(graph)
    assert graph[sampler]["inputs"]["positive"][0] == graph[sampler]["inputs"]["negative"][0]


def test_control_model_goes_with_the_family_of_the_checkpoint() -> None:
    facts = facts_of("control_v11p_sd15_canny.pth", SDXL_CANNY)
    graph = built(facts, model=FAMILIES[ModelFamily.SDXL], control=(unit("canny"),))
    assert node(graph, "ControlNetLoader")["control_net_name"] == SDXL_CANNY
    with pytest.raises(CapabilityError, match="goes with"):
        built(facts_of(SDXL_CANNY), control=(unit("canny"),))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a fox, tiny_embed", "a fox, embedding:tiny_embed"),
        ("(tiny_embed:1.2)", "(embedding:tiny_embed:1.2)"),
        ("embedding:tiny_embed", "embedding:tiny_embed"),
        ("tiny_embeddings", "tiny_embeddings"),
    ],
)
def test_embeddings_are_named_as_comfyui_wants_them(text: str, named: str) -> None:
    assert name_embeddings(text, ("tiny_embed",)) == named
    assert named in [reported["inputs"].get("text") for reported in built(facts_of(), prompt=text).values()]


def test_asked_guidance_steers_flux_and_is_told_to_be_ignored_elsewhere() -> None:
    facts = facts_of()
    bent = fit(make_request(model=FAMILIES[ModelFamily.FLUX], guidance=8.0), to_capabilities(facts, {}))
    assert isinstance(bent, Fit)
    assert bent.request.guidance == 8.0
    assert node(built(facts, model=FAMILIES[ModelFamily.FLUX], guidance=8.0), "FluxGuidance")["guidance"] == 8.0
    assert changes(make_request(guidance=8.0), facts) == ["guidance ignored: this model has none"]
