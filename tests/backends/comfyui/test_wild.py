"""Graphs with nodes that many people have: the words lie where they belong, and what nobody said stays."""

import json

import pytest

from backends.comfyui.workflows.workflow import analyse
from tests.backends.comfyui.graph_lines import SAMPLER, SETTINGS, graph_of
from tests.backends.comfyui.test_cases import places
from tests.backends.comfyui.wild import CONTEXT, EFFICIENT, FROM_CONTEXT, INFO, PLAIN

ENCODED = "6 CLIPTextEncode text=@20.0 clip=@4.1"
SAID = '21 PrimitiveStringMultiline value="a castle"'
SIDES = ("6 CLIPTextEncode text=@20.{} clip=@4.1", "7 CLIPTextEncode text=@20.{} clip=@4.1")


def both(first: int, second: int) -> tuple[str, str]:
    return SIDES[0].format(first), SIDES[1].format(second)


def joined(first: str, second: str, *, titles: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    return (
        *PLAIN,
        ENCODED,
        "20 StringConcatenate string_a=@21.0 string_b=@22.0 delimiter=', '",
        f"21 PrimitiveStringMultiline value={json.dumps(first)} title={json.dumps(titles[0])}",
        f"22 PrimitiveStringMultiline value={json.dumps(second)} title={json.dumps(titles[1])}",
    )


PROMPTS = {
    "a switch of conditionings": (
        [*PLAIN, "20 'Any Switch (rgthree)' any_01=@6.0", SAMPLER.replace("@6.0", "@20.0")],
        "6.text",
        "7.text",
    ),
    "a switch of texts": ([*PLAIN, SAID, ENCODED, "20 'Any Switch (rgthree)' any_01=@21.0"], "21.value", "7.text"),
    "a switch of contexts": (
        [*PLAIN, CONTEXT, "42 'Context Switch (rgthree)' ctx_01=@40.0", FROM_CONTEXT.format(42)],
        "6.text",
        "7.text",
    ),
    "a text that is shown": (
        [*PLAIN, SAID, ENCODED, "20 'ShowText|pysssss' text=@21.0 text_0='a castle'"],
        "21.value",
        "7.text",
    ),
    "a value that is shown": (
        [*PLAIN, SAID, ENCODED, "20 'easy showAnything' anything=@21.0 text='a castle'"],
        "21.value",
        "7.text",
    ),
    "four texts in one": (
        [*PLAIN, *both(0, 1), "20 'Text String' text='a castle' text_b=ugly text_c='' text_d=''"],
        "20.text",
        "20.text_b",
    ),
    "a styler": (
        [*PLAIN, *both(0, 1), "20 SDXLPromptStyler text_positive='a castle' text_negative=ugly style=base"],
        "20.text_positive",
        "20.text_negative",
    ),
    "a styler of two encoders": (
        [
            *PLAIN,
            *both(0, 3),
            "20 SDXLPromptStylerAdvanced text_positive_g='a castle' text_positive_l='a hill' text_negative=ugly",
        ],
        "20.text_positive_g",
        "20.text_negative",
    ),
    "a selector of styles": (
        [
            *PLAIN,
            SAID,
            *both(0, 1),
            "24 PrimitiveString value=ugly",
            "20 'easy stylesSelector' styles=a positive=@21.0 negative=@24.0",
        ],
        "21.value",
        "24.value",
    ),
    "a mixer of styles": (
        [
            *PLAIN,
            *both(0, 3),
            "20 'CR SDXL Prompt Mix Presets' prompt_positive='a castle'"
            " prompt_negative=ugly style_positive=oil style_negative=flat preset=a",
        ],
        "20.prompt_positive",
        "20.prompt_negative",
    ),
    "quality first": (joined("masterpiece, best quality", "a castle"), "22.value", "7.text"),
    "quality last": (joined("a castle", "masterpiece, (best quality:1.2)"), "21.value", "7.text"),
    "a title that says so": (joined("in oil", "a castle", titles=("Style", "Prompt")), "22.value", "7.text"),
    "an instruction first": (
        joined("You are an assistant. <Prompt Start> ", "a castle", titles=("System prompt", "System prompt")),
        "22.value",
        "7.text",
    ),
    "nobody knows which": (joined("in oil", "a castle"), "", "7.text"),
    "an empty second part": (
        [*PLAIN, ENCODED, "20 StringConcatenate string_a='a castle' string_b='' delimiter=', '"],
        "20.string_a",
        "7.text",
    ),
    "encoded quality beside": (
        [
            *PLAIN,
            "61 CLIPTextEncode text='masterpiece, 8k' clip=@4.1",
            "62 ConditioningConcat conditioning_to=@61.0 conditioning_from=@6.0",
            SAMPLER.replace("@6.0", "@62.0"),
        ],
        "6.text",
        "7.text",
    ),
    "the chosen one of several": (
        [
            *PLAIN,
            "61 CLIPTextEncode text='a lake' clip=@4.1",
            SAMPLER.replace("@6.0", "@20.0"),
            "20 ImpactSwitch select=2 sel_mode=false input1=@6.0 input2=@61.0",
        ],
        "61.text",
        "7.text",
    ),
    "the chosen one of two": (
        [
            *PLAIN,
            "61 CLIPTextEncode text='a lake' clip=@4.1",
            SAMPLER.replace("@6.0", "@20.0"),
            "20 ComfySwitchNode switch=true on_false=@6.0 on_true=@61.0",
        ],
        "61.text",
        "7.text",
    ),
    "what is filled in": (
        [
            *PLAIN,
            ENCODED,
            "20 ImpactWildcardProcessor wildcard_text='a {red|blue} castle'"
            " populated_text='a red castle' mode=populate seed=1",
        ],
        "20.populated_text 20.wildcard_text",
        "7.text",
    ),
    "a detailer's own words": (
        [
            *PLAIN,
            "61 CLIPTextEncode text='a detailed face' clip=@4.1",
            "9 SaveImage images=@11.0 filename_prefix=x",
            f"11 FaceDetailer {SETTINGS} image=@8.0 model=@4.0 clip=@4.1 vae=@4.2 positive=@61.0 negative=@7.0"
            " bbox_detector=@4.0 wildcard=''",
        ],
        "6.text",
        "7.text",
    ),
    "a tuple": (EFFICIENT, "1.positive", "1.negative"),
    "what a model says of a picture": (
        [
            *PLAIN,
            ENCODED,
            "30 LoadImage image=x.png",
            "32 CaptionRun image=@30.0 text_input='' seed=1",
            "20 StringConcatenate string_a=@32.1 string_b='a castle' delimiter=', '",
        ],
        "20.string_b",
        "7.text",
    ),
    "a model that writes prompts": (
        [
            *PLAIN,
            ENCODED,
            "19 OllamaConnectivity url=x model=llama3.2",
            "20 OllamaGenerate connectivity=@19.0 system='You write prompts' prompt='a castle'",
        ],
        "20.prompt",
        "7.text",
    ),
    "a song": ([*PLAIN, "6 TextEncodeAceStepAudio clip=@4.1 tags='pop' lyrics='la la'"], "6.tags", "7.text"),
    "text for a file": (
        [
            *PLAIN,
            "50 'Make Metadata' positive=unknown negative=unknown seed=0 steps=25 cfg=5 width=512 height=512",
            "51 'Image Saver Metadata' images=@8.0 metadata=@50.0",
        ],
        "6.text",
        "7.text",
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_words_find_their_place(name: str) -> None:
    lines, prompt, negative = PROMPTS[name]
    found = analyse(graph_of(*lines), INFO)
    assert (places(found.prompt), places(found.negative)) == (prompt.split(), negative.split())
