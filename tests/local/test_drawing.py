"""The maker of diffusers with the real library, on tiny models of random weights: every family, every mode."""

import pytest
import torch
from safetensors.torch import save_file

from backends.embedded.facts import SAMPLERS, SCHEDULERS
from backends.embedded.work import drawing
from backends.embedded.work.devices import choose
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.orders import ModelFolder, Rung
from backends.embedded.work.precision import precision_for
from backends.embedded.work.schedulers import SAMPLERS as CLASSES
from tests.local import tiny
from tests.local.maker_contract import MakerContract
from tests.local.orders import MODES, apart, draw, opened, order

FAMILIES = tuple(tiny.MAKERS)
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        family: ModelFolder(name=family, path=str(tiny.make(family, root / family)), family=family, weights_mb=2)
        for family in FAMILIES
    }


@pytest.fixture(scope="module")
def maker():
    return DiffusersMaker("cpu")


def lora(folder, name, wide=32):
    weights = {}
    for block in ("down_blocks.1", "up_blocks.0"):
        for part in ("to_q", "to_v"):
            place = f"unet.{block}.attentions.0.transformer_blocks.0.attn1.{part}"
            generator = torch.Generator().manual_seed(1)
            weights[f"{place}.lora_A.weight"] = torch.randn(4, 2 * wide, generator=generator)
            weights[f"{place}.lora_B.weight"] = torch.randn(2 * wide, 4, generator=generator)
    save_file(weights, folder / f"{name}.safetensors")
    return str(folder / f"{name}.safetensors")


class TestDiffusers(MakerContract):
    modes = dict.fromkeys(FAMILIES, MODES)
    unseen = frozenset({"flux2-klein"})

    def make(self, wanted):
        return DiffusersMaker(wanted)

    def lora(self, folder, name, *, is_foreign=False):
        return lora(folder, name, wide=48 if is_foreign else 32)

    def damaged(self, folder):
        place = tiny.make("sd15", folder / "damaged")
        (place / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"no weights")
        return ModelFolder(name="damaged", path=str(place), family="sd15")


def test_every_sampler_and_scheduler_of_the_list_draws_and_most_give_another_picture(maker, models):
    assert {*SAMPLERS} == {*CLASSES}
    drawn = {}
    for sampler in SAMPLERS:
        (drawn[sampler],) = draw(maker, order(models["sd15"], sampler=sampler, steps=5))
        assert maker.notes() == [], sampler
    assert len({*drawn.values()}) > len(SAMPLERS) // 2
    spaced = {draw(maker, order(models["sd15"], sampler="DPM++ 2M", scheduler=name))[0] for name in SCHEDULERS}
    assert len(spaced) > 2


def test_a_sampler_that_a_flow_model_cannot_use_is_said(maker, models):
    (own,) = draw(maker, order(models["flux"]))
    assert maker.notes() == []
    (other,) = draw(maker, order(models["flux"], sampler="DPM++ 2M"))
    assert maker.notes() == ["own_sampler"]
    assert own == other


def test_what_a_family_cannot_be_told_is_said(maker, models):
    draw(maker, order(models["flux"], negative_prompt="blur", clip_skip=2))
    assert maker.notes() == ["no_negative_prompt", "no_clip_skip"]
    draw(maker, order(models["sd15"], negative_prompt="blur", clip_skip=2))
    assert maker.notes() == []


def test_words_and_guidance_change_the_picture(maker, models):
    asked = {"plain": {}, "words": {"prompt": "a horse"}, "negative": {"negative_prompt": "blur"},
             "scale": {"cfg_scale": 12.0}, "clip skip": {"clip_skip": 2}}  # fmt: skip
    drawn = {name: draw(maker, order(models["sd15"], **changes))[0] for name, changes in asked.items()}
    assert len({*drawn.values()}) == len(asked)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_weight_of_a_word_changes_the_picture_and_one_of_1_does_not(maker, models, family):
    prompts = ("a red fox", "a (red:1.0) fox", "a (red fox:9)", "(a red fox:0)")
    drawn = {
        prompt: draw(maker, order(models[family], prompt=prompt, cfg_scale=15.0, steps=8))[0] for prompt in prompts
    }
    assert apart(drawn["a red fox"], drawn["a (red:1.0) fox"]) <= 2
    for weighed in prompts[2:]:
        assert apart(drawn["a red fox"], drawn[weighed]) > 2
    assert maker.notes() == []


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_numbers_of_words_are_those_of_the_library_where_nothing_is_weighed(maker, models, family):
    """Read by hand, a plain prompt draws what the library's own reading draws, with CLIP skip too."""
    for changes in ({}, {"clip_skip": 2}, {"negative_prompt": "blur"}):
        asked = order(models[family], **changes)
        (own,) = draw(maker, asked)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(drawing, "needs_numbers", lambda pipe, order: True)
            (by_hand,) = draw(maker, asked)
        assert apart(own, by_hand) <= 2, changes


def test_words_beyond_those_that_clip_reads_at_once_count(maker, models):
    long = "a red fox, " * 20
    pictures = {draw(maker, order(models["sd15"], prompt=long + end))[0] for end in ("in snow", "at sea")}
    assert len(pictures) == 2
    assert maker.notes() == []


def test_decoding_in_tiles_draws(models):
    maker = DiffusersMaker("cpu")
    for family in ("sd15", "flux", "flux2-klein"):
        maker.load(models[family], Rung.TILED)
        assert opened(maker.draw(order(models[family], width=128, height=128), (7,), lambda *_: None)[0]).size == (
            128,
            128,
        )


def test_errors_of_memory_are_told_from_others(maker):
    assert maker.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert maker.is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not maker.is_out_of_memory(RuntimeError("shape mismatch"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert maker.is_out_of_memory(caught.value)


def test_a_gpu_that_is_not_there_is_named_and_the_processor_draws():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    for wanted in ("cuda", "cuda:1", "mps"):
        facts = choose(wanted).facts()
        assert (facts.kind, facts.is_set_back) == ("cpu", wanted)
    assert choose("auto").facts().is_set_back == ""
    assert choose("auto").facts().free_mb


@pytest.mark.parametrize(
    ("kind", "family", "bf16", "weights_mb", "free_mb", "expected"),
    [
        ("cuda", "sd15", True, 2000, 8000, "float16"),
        ("cuda", "flux", True, 33_000, 8000, "bfloat16"),
        ("cuda", "flux", False, 33_000, 8000, "float32"),
        ("cpu", "sd15", True, 2000, 8000, "float32"),
        ("cpu", "sdxl", True, 7000, 8000, "bfloat16"),
        ("cpu", "sdxl", True, 7000, None, "float32"),
    ],
)
def test_the_precision_suits_family_device_and_memory(kind, family, bf16, weights_mb, free_mb, expected):
    assert precision_for(kind, family, has_bf16=bf16, weights_mb=weights_mb, free_mb=free_mb) == expected
