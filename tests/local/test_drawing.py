"""The maker with the real libraries, on tiny models of random weights: every family, every mode."""

import gc
import io

import pytest
import torch
from PIL import Image, ImageChops
from safetensors.torch import save_file

from backends.child_side import OrderRefused, OrderStopped
from backends.embedded.facts import SAMPLERS, SCHEDULERS
from backends.embedded.work import drawing
from backends.embedded.work.devices import choose
from backends.embedded.work.drawing import DiffusersMaker
from backends.embedded.work.orders import ChildOrder, LoraFile, ModelFolder, Rung
from backends.embedded.work.precision import precision_for
from backends.embedded.work.schedulers import SAMPLERS as CLASSES
from tests.local import tiny

FAMILIES = tuple(tiny.MAKERS)
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {family: tiny.make(family, root / family) for family in FAMILIES}


@pytest.fixture(scope="module")
def maker():
    return DiffusersMaker("cpu")


def model_of(folders, family):
    return ModelFolder(name=family, path=str(folders[family]), family=family, weights_mb=2)


def png(colour, size=(64, 64), mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def mask(size=(64, 64)):
    picture = Image.new("L", size, 0)
    picture.paste(255, (0, 0, size[0] // 2, size[1]))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def order(folders, family, mode="txt2img", **changes):
    pictures = {"txt2img": (), "img2img": (png("red"),), "inpaint": (png("red"), mask())}[mode]
    values = {
        "model": model_of(folders, family), "mode": mode, "prompt": "a red fox", "negative_prompt": "", "width": 64,
        "height": 64, "steps": 4, "cfg_scale": 3.0, "seeds": (7,), "strength": None if mode == "txt2img" else 0.6,
        "pictures": pictures,
    }  # fmt: skip
    return ChildOrder(**(values | changes))


def draw(maker, asked, on_step=lambda step, preview: None):
    maker.load(asked.model, Rung.WHOLE)
    return maker.draw(asked, asked.seeds, on_step)


def apart(first, second):
    """Return how far two pictures are apart, in steps of 256."""
    return max(high for _low, high in ImageChops.difference(opened(first), opened(second)).getextrema())


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("mode", ["txt2img", "img2img", "inpaint"])
@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_draws_in_each_mode_and_the_same_seed_gives_the_same_bytes(maker, folders, family, mode):
    steps = []
    asked = order(folders, family, mode)
    maker.load(asked.model, Rung.WHOLE)
    (first,) = maker.draw(asked, (7,), lambda step, preview: steps.append(step))
    (again,) = maker.draw(asked, (7,), lambda step, preview: None)
    (other,) = maker.draw(asked, (8,), lambda step, preview: None)
    assert opened(first).size == (64, 64)
    assert first == again
    assert first != other
    assert steps == list(range(1, len(steps) + 1))
    assert asked.planned_steps - 1 <= len(steps) <= asked.planned_steps


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_has_a_picture_for_each_seed(maker, folders, family):
    pictures = draw(maker, order(folders, family, seeds=(7, 8, 9)))
    assert len({*pictures}) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_cancelled_at_any_step_it_stops_there_and_draws_on(maker, folders, family):
    asked = order(folders, family)
    (whole,) = draw(maker, asked)
    for last in range(1, 5):
        seen = []

        def on_step(step, preview, seen=seen, last=last):
            seen.append(step)
            if step == last:
                raise OrderStopped

        with pytest.raises(OrderStopped):
            maker.draw(asked, (7,), on_step)
        assert seen == list(range(1, last + 1))
    assert maker.draw(asked, (7,), lambda step, preview: None) == [whole]


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "flux2-klein"])
def test_a_preview_is_a_small_picture(maker, folders, family):
    previews = []
    draw(maker, order(folders, family), lambda step, preview: previews.append(preview()))
    for data in previews:
        assert opened(data).format == "JPEG"
        assert max(opened(data).size) == 256


def test_no_strength_leaves_the_source(maker, folders):
    (drawn,) = draw(maker, order(folders, "sd15", "img2img", strength=0.0))
    assert ImageChops.difference(opened(drawn), opened(png("red"))).getbbox() is None


def test_a_size_that_is_no_square(maker, folders):
    for family in FAMILIES:
        assert opened(draw(maker, order(folders, family, width=96, height=64))[0]).size == (96, 64)


def test_every_sampler_and_scheduler_of_the_list_draws_and_most_give_another_picture(maker, folders):
    assert {*SAMPLERS} == {*CLASSES}
    drawn = {}
    for sampler in SAMPLERS:
        (drawn[sampler],) = draw(maker, order(folders, "sd15", sampler=sampler, steps=5))
        assert maker.notes() == [], sampler
    assert len({*drawn.values()}) > len(SAMPLERS) // 2
    spaced = {draw(maker, order(folders, "sd15", sampler="DPM++ 2M", scheduler=name))[0] for name in SCHEDULERS}
    assert len(spaced) > 2


def test_a_sampler_that_a_flow_model_cannot_use_is_said(maker, folders):
    (own,) = draw(maker, order(folders, "flux"))
    assert maker.notes() == []
    (other,) = draw(maker, order(folders, "flux", sampler="DPM++ 2M"))
    assert maker.notes() == ["own_sampler"]
    assert own == other


def test_what_a_family_cannot_be_told_is_said(maker, folders):
    draw(maker, order(folders, "flux", negative_prompt="blur", clip_skip=2))
    assert maker.notes() == ["no_negative_prompt", "no_clip_skip"]
    draw(maker, order(folders, "sd15", negative_prompt="blur", clip_skip=2))
    assert maker.notes() == []


def test_words_and_guidance_change_the_picture(maker, folders):
    asked = {"plain": {}, "words": {"prompt": "a horse"}, "negative": {"negative_prompt": "blur"},
             "scale": {"cfg_scale": 12.0}, "clip skip": {"clip_skip": 2}}  # fmt: skip
    drawn = {name: draw(maker, order(folders, "sd15", **changes))[0] for name, changes in asked.items()}
    assert len({*drawn.values()}) == len(asked)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_weight_of_a_word_changes_the_picture_and_one_of_1_does_not(maker, folders, family):
    prompts = ("a red fox", "a (red:1.0) fox", "a (red fox:9)", "(a red fox:0)")
    drawn = {
        prompt: draw(maker, order(folders, family, prompt=prompt, cfg_scale=15.0, steps=8))[0] for prompt in prompts
    }
    assert apart(drawn["a red fox"], drawn["a (red:1.0) fox"]) <= 2
    for weighed in prompts[2:]:
        assert apart(drawn["a red fox"], drawn[weighed]) > 2
    assert maker.notes() == []


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_numbers_of_words_are_those_of_the_library_where_nothing_is_weighed(maker, folders, family):
    """Read by hand, a plain prompt draws what the library's own reading draws, with CLIP skip too."""
    for changes in ({}, {"clip_skip": 2}, {"negative_prompt": "blur"}):
        asked = order(folders, family, **changes)
        (own,) = draw(maker, asked)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(drawing, "needs_numbers", lambda pipe, order: True)
            (by_hand,) = draw(maker, asked)
        assert apart(own, by_hand) <= 2, changes


def test_words_beyond_those_that_clip_reads_at_once_count(maker, folders):
    long = "a red fox, " * 20
    pictures = {draw(maker, order(folders, "sd15", prompt=long + end))[0] for end in ("in snow", "at sea")}
    assert len(pictures) == 2
    assert maker.notes() == []


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


def test_a_lora_changes_the_picture_by_its_weight_and_is_gone_afterwards(maker, folders, tmp_path):
    path = lora(tmp_path, "ink")
    (plain,) = draw(maker, order(folders, "sd15"))
    full, half = (draw(maker, order(folders, "sd15", loras=(LoraFile(path=path, weight=w),)))[0] for w in (1.0, 0.5))
    both = draw(maker, order(folders, "sd15", loras=(LoraFile(path=path, weight=1.0), LoraFile(path=path, weight=1.0))))
    assert len({plain, full, half, both[0]}) == 4
    assert draw(maker, order(folders, "sd15")) == [plain]


def test_a_lora_for_another_model_is_refused_by_name_and_the_next_picture_is_as_ever(maker, folders, tmp_path):
    (plain,) = draw(maker, order(folders, "sd15"))
    path = lora(tmp_path, "wide", wide=48)
    with pytest.raises(OrderRefused, match="LoRA wide is not for the model sd15") as caught:
        draw(maker, order(folders, "sd15", loras=(LoraFile(path=path, weight=1.0),)))
    assert caught.value.field == "loras"
    assert draw(maker, order(folders, "sd15")) == [plain]


def test_a_damaged_model_is_refused_in_words(maker, folders, tmp_path):
    folder = tmp_path / "damaged"
    tiny.make("sd15", folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(OrderRefused, match="damaged cannot be loaded"):
        maker.load(ModelFolder(name="damaged", path=str(folder), family="sd15"), Rung.WHOLE)


def test_decoding_in_tiles_draws(folders):
    maker = DiffusersMaker("cpu")
    for family in ("sd15", "flux", "flux2-klein"):
        maker.load(model_of(folders, family), Rung.TILED)
        assert opened(maker.draw(order(folders, family, width=128, height=128), (7,), lambda *_: None)[0]).size == (
            128,
            128,
        )


def test_load_and_unload_fifty_times_keeps_the_memory_flat(folders):
    maker = DiffusersMaker("cpu")
    sizes = []
    for turn in range(50):
        maker.load(model_of(folders, "sd15"), Rung.WHOLE)
        maker.unload()
        gc.collect()
        if turn >= 10:
            sizes.append(resident_mb())
    assert max(sizes) - min(sizes) < 60


def resident_mb():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


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
