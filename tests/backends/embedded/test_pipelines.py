"""The arguments that each family's pipeline gets, and the sentences of the pages on models."""

import re

import pytest

from backends.child import ROOT
from backends.embedded.facts import SAMPLERS, SCHEDULERS
from backends.embedded.models.families import FAMILIES
from backends.embedded.models.known import known_models
from backends.embedded.work.orders import ChildOrder, ModelFolder
from backends.embedded.work.pipelines import PIPELINES, arguments
from backends.embedded.work.precision import precision_for
from backends.embedded.work.schedulers import SAMPLERS as CLASSES
from backends.embedded.work.schedulers import SPACINGS
from backends.embedded.work.weights import has_signs, weigh


def order(family, mode="txt2img", **changes):
    model = ModelFolder(name=family, path="", family=family)
    values = {
        "model": model, "mode": mode, "prompt": "a red fox", "negative_prompt": "", "width": 64, "height": 96,
        "steps": 4, "cfg_scale": 3.0, "seeds": (7,),
    }  # fmt: skip
    return ChildOrder(**(values | changes))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_a_pipeline_for_each_mode(family):
    assert {*PIPELINES[family]} == {"txt2img", "img2img", "inpaint"}


def test_every_sampler_and_scheduler_that_is_offered_has_a_class():
    assert {*SAMPLERS} == {*CLASSES}
    assert {*SCHEDULERS} == {"Automatic", *SPACINGS}


@pytest.mark.parametrize(
    ("family", "notes"),
    [
        ("sd15", []), ("sdxl", []), ("sd3", []), ("z-image", ["no_clip_skip"]),
        ("flux", ["no_negative_prompt", "no_clip_skip"]), ("flux2-klein", ["no_negative_prompt", "no_clip_skip"]),
    ],
)  # fmt: skip
def test_what_a_family_cannot_be_told_is_noted(family, notes):
    values, found = arguments(order(family, negative_prompt="blur", clip_skip=2), is_guided=True)
    assert found == notes
    assert ("negative_prompt" in values) is ("no_negative_prompt" not in notes)
    assert values.get("clip_skip") == (None if "no_clip_skip" in notes else 1)


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a red fox", (("a red fox", 1.0),)),
        ("a (red:1.3) fox", (("a ", 1.0), ("red", 1.3), (" fox", 1.0))),
        ("a (red) [fox]", (("a ", 1.0), ("red", 1.1), (" ", 1.0), ("fox", 0.9091))),
        ("((red)) fox", (("red", 1.21), (" fox", 1.0))),
        ("(a (red:1.5) fox:0.5)", (("a ", 0.5), ("red", 0.75), (" fox", 0.5))),
        (r"a fox \(red\)", (("a fox (red)", 1.0),)),
        ("a (red fox", (("a (red fox", 1.0),)),
        ("ratio 3:2 :) fox)", (("ratio 3:2 :) fox)", 1.0),)),
        ("(red:99)", (("red", 10.0),)),
        ("", ()),
    ],
)
def test_weights_of_words_are_read_as_automatic1111_writes_them(prompt, parts):
    assert weigh(prompt) == parts
    assert has_signs(prompt) is (parts not in ((), ((prompt, 1.0),)))


def test_a_family_that_takes_no_weights_gets_the_words_without_them_and_says_so():
    values, notes = arguments(order("flux", prompt="a (red:1.3) fox (in snow), ((big:1.2) tree:0.8)"), is_guided=True)
    assert (values["prompt"], notes) == ("a red fox (in snow), big tree", ["no_word_weights"])
    assert arguments(order("flux", prompt="a fox (red)"), is_guided=True)[1] == []
    values, notes = arguments(order("sd15", prompt="a (red:1.3) fox"), is_guided=True)
    assert (values["prompt"], notes) == ("a (red:1.3) fox", [])


def test_strength_size_and_guidance_go_where_they_belong():
    drawn, _ = arguments(order("sd15"), is_guided=True)
    assert (drawn["width"], drawn["height"], drawn["guidance_scale"]) == (64, 96, 3.0)
    over, _ = arguments(order("sd15", "img2img", strength=0.5), is_guided=True)
    assert (over["strength"], "width" in over) == (0.5, False)
    assert arguments(order("flux", "img2img"), is_guided=True)[0]["strength"] == 0.75
    assert arguments(order("flux", guidance=2.5), is_guided=True)[0]["guidance_scale"] == 2.5
    quick, _ = arguments(order("flux"), is_guided=False)
    assert (quick["guidance_scale"], quick["max_sequence_length"]) == (1.0, 256)


@pytest.mark.parametrize(
    ("mode", "strength", "steps"),
    [("txt2img", None, 4), ("img2img", 0.6, 3), ("inpaint", 1.0, 4), ("img2img", 0.01, 1)],
)
def test_from_a_picture_only_a_part_of_the_steps_is_drawn(mode, strength, steps):
    assert order("sd15", mode, strength=strength).planned_steps == steps


def test_no_precision_has_fewer_than_16_bits():
    kinds = [
        (kind, family, bf16) for kind in ("cuda", "rocm", "mps", "cpu") for family in FAMILIES for bf16 in (True, False)
    ]
    found = {precision_for(k, f, has_bf16=b, weights_mb=9000, free_mb=1000) for k, f, b in kinds}
    assert found == {"float32", "bfloat16", "float16"}


def test_the_table_of_models_is_what_is_known_of_them():
    page = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `(.+?)` \| ([\d.]+) GB(?:, and `(.+?)`)? \| (\d+) GB \| (.+?) \| (.+?) \|$", page, re.MULTILINE
    )
    assert rows == [
        (m.name, f"{m.size_gb:g}", m.base, f"{m.memory_gb:g}", m.licence, m.good_for) for m in known_models().values()
    ]
    gated = re.search(r"^- (`.+) are given only", page, re.MULTILINE)[1]
    assert re.findall("`(.+?)`", gated) == [model.name for model in known_models().values() if model.is_gated]
    assert [model.name for model in known_models().values() if not model.is_commercial] == ["flux-dev", "flux-union"]
