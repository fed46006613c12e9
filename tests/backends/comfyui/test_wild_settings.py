"""Graphs with nodes that many people have: settings and pictures lie where they belong, and what nobody said stays."""

import copy

import pytest

from backends.comfyui.builtin.graphs import Uploads
from backends.comfyui.errors import check
from backends.comfyui.facts import read_facts
from backends.comfyui.graphs.graph import Slot, inputs_of
from backends.comfyui.graphs.trace import Trace
from backends.comfyui.workflows.apply import apply, workflow_capabilities
from backends.comfyui.workflows.workflow import Workflow, analyse
from generation.request import Lora
from tests.backends.comfyui.graph_lines import SAMPLER, graph_of, info_of
from tests.backends.comfyui.rig import make_request
from tests.backends.comfyui.test_cases import places
from tests.backends.comfyui.wild import CONTEXT, EASY, EFFICIENT, FROM_CONTEXT, INFO, PLAIN
from tests.engines.comfyui_engine import recorded

SLOTS = {
    "a switch of latents": (
        [*PLAIN, "20 'Any Switch (rgthree)' any_01=@5.0", SAMPLER.replace("@5.0", "@20.0")],
        {"width": "5.width", "height": "5.height"},
    ),
    "a switch of models": (
        [*PLAIN, "20 'Any Switch (rgthree)' any_01=@4.0", SAMPLER.replace("@4.0", "@20.0")],
        {"model": "4.ckpt_name"},
    ),
    "a switch of seeds": (
        [
            *PLAIN,
            "22 PrimitiveInt value=5",
            "20 'Any Switch (rgthree)' any_01=@22.0",
            SAMPLER.replace("seed=1", "seed=@20.0"),
        ],
        {"seed": "22.value"},
    ),
    "a context over a context": (
        [*PLAIN, CONTEXT, "41 'Context (rgthree)' base_ctx=@40.0", FROM_CONTEXT.format(41)],
        {"model": "4.ckpt_name", "width": "5.width"},
    ),
    "a prompt that passes the model": (
        [
            *PLAIN,
            "6 'Power Prompt (rgthree)' prompt='a castle' opt_model=@4.0",
            SAMPLER.replace("model=@4.0", "model=@6.1"),
        ],
        {"model": "4.ckpt_name"},
    ),
    "settings of a node": (
        [
            *PLAIN,
            "50 'KSampler Config (rgthree)' steps_total=30 refiner_step=24 cfg=8",
            SAMPLER.replace("steps=20", "steps=@50.0").replace("cfg=7", "cfg=@50.2"),
        ],
        {"steps": "50.steps_total", "cfg_scale": "50.cfg"},
    ),
    "a pipe": (
        [
            *PLAIN,
            "20 ToBasicPipe model=@4.0 clip=@4.1 vae=@4.2 positive=@6.0 negative=@7.0",
            "21 FromBasicPipe basic_pipe=@20.0",
            SAMPLER.replace("@4.0", "@21.0"),
        ],
        {"model": "4.ckpt_name"},
    ),
    "a loader of all": (EASY, {"model": "1.ckpt_name", "width": "1.empty_latent_width", "seed": "3.seed"}),
    "a preset of a loader": ([EASY[0].replace("width x height (custom)", "512 x 512"), EASY[1]], {"width": ""}),
    "a preset of sizes": (
        [
            *PLAIN,
            "5 EmptyLatentImage width=@50.0 height=@50.1 batch_size=1",
            "50 'CR SDXL Aspect Ratio' width=8 height=8 aspect_ratio='1:1 square 1024x1024'",
        ],
        {"width": "", "height": ""},
    ),
    "sizes left to numbers": (
        [
            *PLAIN,
            "5 EmptyLatentImage width=@50.0 height=@50.1 batch_size=1",
            "50 'CR SDXL Aspect Ratio' width=8 height=8 aspect_ratio=custom",
        ],
        {"width": "50.width", "height": "50.height"},
    ),
    "a schedule is no number": (
        [
            *PLAIN,
            "50 'Value Scheduler' schedule='0, 0.7' current_frame=0",
            SAMPLER.replace("denoise=1", "denoise=@50.1"),
        ],
        {"denoising_strength": ""},
    ),
    "a tuple": (EFFICIENT, {"model": "1.base_ckpt_name", "width": "1.empty_latent_width", "seed": "3.noise_seed"}),
    "guidance from a number": (
        [
            *PLAIN,
            "40 PrimitiveFloat value=3.5",
            "26 FluxGuidance guidance=@40.0 conditioning=@6.0",
            SAMPLER.replace("@6.0", "@26.0"),
        ],
        {"guidance": "40.value"},
    ),
    "text for a file": (
        [
            "50 'Make Metadata' positive=x negative=x seed=0 steps=25 cfg=5 width=512 height=512",
            *PLAIN,
            "51 'Image Saver Metadata' images=@8.0 metadata=@50.0",
        ],
        {"steps": "3.steps", "seed": "3.seed"},
    ),
    "a map of a picture first": (
        [
            "60 DepthModel unet_name=depth.safetensors",
            "61 DepthConditioning",
            "30 LoadImage image=x.png",
            "62 VAEEncode pixels=@30.0 vae=@4.2",
            "63 BasicGuider model=@60.0 conditioning=@61.0",
            "64 KSamplerSelect sampler_name=euler",
            "65 BasicScheduler scheduler=normal steps=1 denoise=1 model=@60.0",
            "66 RandomNoise noise_seed=7",
            "67 SamplerCustomAdvanced noise=@66.0 guider=@63.0 sampler=@64.0 sigmas=@65.0 latent_image=@62.0",
            "68 VAEDecode samples=@67.0 vae=@4.2",
            "69 ControlNetLoader control_net_name=c.safetensors",
            *PLAIN,
            "70 ControlNetApplyAdvanced positive=@6.0 negative=@7.0 control_net=@69.0 image=@68.0 strength=1"
            " start_percent=0 end_percent=1",
            SAMPLER.replace("@6.0", "@70.0").replace("@7.0", "@70.1"),
        ],
        {"steps": "3.steps", "model": "4.ckpt_name", "denoising_strength": "3.denoise", "width": "5.width"},
    ),
    "a wrapper of videos": (
        [
            "1 WanVideoModelLoader model=wan.safetensors",
            "2 WanVideoTextEncode positive_prompt=a negative_prompt=b",
            "30 LoadImage image=x.png",
            "32 WanVideoImageClipEncode image=@30.0 generation_width=832 generation_height=480 num_frames=81",
            "7 WanVideoSampler model=@1.0 text_embeds=@2.0 image_embeds=@32.0 steps=20 cfg=6 shift=5 seed=1",
            "8 WanVideoDecode samples=@7.0",
            "9 SaveImage images=@8.0 filename_prefix=x",
        ],
        {"model": "1.model", "width": "32.generation_width", "height": "32.generation_height", "images": "30.image"},
    ),
    "a mask that is scaled": (
        [
            *PLAIN,
            "30 LoadImage image=x.png",
            "31 LoadImage image=m.png",
            "40 ImageScaleToTotalPixels image=@30.0 megapixels=1",
            "41 ImageScaleToTotalPixels image=@31.0 megapixels=1",
            "32 ImageToMask image=@41.0 channel=red",
            "33 VAEEncode pixels=@40.0 vae=@4.2",
            "34 SetLatentNoiseMask samples=@33.0 mask=@32.0",
            SAMPLER.replace("@5.0", "@34.0"),
        ],
        {"images": "30.image", "masks": "31.image"},
    ),
}


@pytest.mark.parametrize("name", SLOTS)
def test_settings_find_their_place(name: str) -> None:
    lines, expected = SLOTS[name]
    found = analyse(graph_of(*lines), INFO)
    slots = {key: getattr(found, key) for key in expected}
    assert {key: " ".join(places(several(slot))) for key, slot in slots.items()} == expected


def several(slots: tuple[Slot, ...] | Slot | None) -> tuple[Slot, ...]:
    return slots if isinstance(slots, tuple) else tuple(filter(None, (slots,)))


def test_pictures_of_a_chain_come_in_the_order_in_which_they_steer() -> None:
    steered = "{} ControlNetApplyAdvanced positive=@{} negative=@{} control_net=@50.0 image=@{}.0 strength=1"
    lines = [*PLAIN, "31 LoadImage image=b.png", "30 LoadImage image=a.png", "50 ControlNetLoader control_net_name=c"]
    lines += [steered.format("51", "6.0", "7.0", "30"), steered.format("52", "51.0", "51.1", "31")]
    found = Trace(graph_of(*lines, SAMPLER.replace("@6.0", "@52.0").replace("@7.0", "@52.1")), INFO)
    assert [slot.node for slot in found.pictures()[0]] == ["30", "31"]


def test_no_lora_is_spliced_in_where_the_model_comes_in_a_pipe() -> None:
    graph = graph_of(*EASY)
    mapping = analyse(graph, INFO)
    assert (mapping.model_link, mapping.clip_link) == (None, None)
    request = make_request(loras=(Lora(name="tiny_style.safetensors", weight=0.5),))
    assert len(apply(graph, mapping, request, Uploads()).graph) == len(graph)


def test_list_that_the_browser_fills_takes_what_the_export_says() -> None:
    graph = graph_of("19 OllamaConnectivity url=x model=llama3.2")
    assert check(graph, INFO) is None
    assert inputs_of(graph, "19")["model"] == "llama3.2"
    assert check(graph_of("19 OllamaConnectivity url=x model=llama.gguf"), INFO) is not None


def test_steps_stay_within_what_the_node_takes() -> None:
    classes = copy.deepcopy(recorded("object_info"))
    classes["KSampler"]["input"]["required"]["steps"][1]["max"] = 10
    info = info_of(classes)
    graph = graph_of(*PLAIN)
    workflow = Workflow(graph=graph, mapping=analyse(graph, info))
    assert workflow_capabilities(workflow, read_facts("0.33.0", info, {}), {}).max_steps == 10
