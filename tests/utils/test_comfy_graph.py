"""Graphs in other people's pictures: what the picture was drawn with is read as it was, and nothing else."""

import pytest

from tests.backends.comfyui.graph_lines import LATENT, LOADER, SAMPLER, SAVED, SETTINGS, WORDS, graph_of
from utils.comfy_graph import settings_of_graph

PLAIN = (LOADER, WORDS, LATENT, SAMPLER, SAVED)
ENCODED = ("6 CLIPTextEncode text=@20.0 clip=@4.1", "21 PrimitiveStringMultiline value='a castle'")
EASY = (
    "1 'easy fullLoader' ckpt_name=a.safetensors empty_latent_width=512 empty_latent_height=768 positive='a castle'"
    " positive_token_normalization=none negative=ugly"
)


@pytest.mark.parametrize(
    ("lines", "prompt", "negative"),
    [
        ([*PLAIN, "7 ConditioningZeroOut conditioning=@6.0"], "a castle", ""),
        ([*PLAIN, SAMPLER.replace("@7.0", "@6.0")], "a castle", ""),
        ([*PLAIN, "40 Context positive=@6.0 negative=@7.0", "30 CLIPTextEncode text='a red castle' clip=@4.1",
          "41 Context base_ctx=@40.0 positive=@30.0", SAMPLER.replace("@6.0", "@41.4").replace("@7.0", "@41.5")],
         "a red castle", "ugly"),
        ([*PLAIN, *ENCODED, "20 'CR Text Concatenate' text1=masterpiece text2=@21.0 separator=', '"],
         "masterpiece, a castle", "ugly"),
        ([*PLAIN, *ENCODED, "20 SDXLPromptStyler text_positive='a castle' text_negative=flat style=base",
          "7 CLIPTextEncode text=@20.1 clip=@4.1"], "a castle", "flat"),
        ([EASY, f"2 'easy preSampling' pipe=@1.0 {SETTINGS}", "3 'easy kSampler' pipe=@2.0"], "a castle", "ugly"),
        ([*PLAIN, "20 ToBasicPipe model=@4.0 positive=@6.0 negative=@7.0",
          f"3 ImpactKSamplerBasicPipe basic_pipe=@20.0 {SETTINGS} latent_image=@5.0"], "a castle", "ugly"),
        ([*PLAIN, "4 CheckpointLoaderSimple ckpt_name=sd15_tiny.safetensors",
          "3 HyVideoSampler hyvid_embeds=@30.0 model=@4.0 width=512 height=768 seed=1 steps=20"
          " embedded_guidance_scale=6", "30 HyVideoTextEncode prompt='a castle'"], "a castle", ""),
    ],
)  # fmt: skip
def test_words_and_size_are_those_the_sampler_had(lines: list[str], prompt: str, negative: str) -> None:
    found = settings_of_graph(graph_of(*lines))
    assert found
    assert (found.prompt, found.negative_prompt) == (prompt, negative)
    assert (found.width, found.height) == (512, 768)
    assert (found.values["Seed"], found.values["Steps"], str(found.values["Model"])[-12:]) == (1, 20, ".safetensors")


def test_settings_are_read_from_the_node_that_holds_them() -> None:
    held = "50 'KSampler Config (rgthree)' steps_total=30 refiner_step=24 cfg=8 sampler_name=lcm"
    linked = SAMPLER.replace("steps=20", "steps=@50.0").replace("cfg=7", "cfg=@50.2").replace("=euler", "=@50.3")
    found = settings_of_graph(graph_of(*PLAIN, held, linked.replace("seed=1", "seed=@60.0"), "60 'Any Switch' any_01=@61.0", "61 Seed seed=5"))  # fmt: skip # noqa: E501
    assert found
    assert {name: found.values[name] for name in ("Steps", "CFG scale", "Sampler", "Seed")} == {
        "Steps": 30, "CFG scale": 8, "Sampler": "lcm", "Seed": 5,
    }  # fmt: skip
