"""Drafts laid over preferences, checked, and filled in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constants import DEFAULT_DENOISING_STRENGTH, MAX_PROMPT_CHARS, MAX_SEED
from generation.errors import RequestRejected
from generation.options import validate
from generation.request import ControlUnit, Draft, GenerationRequest, HiresFix, Lora, MaskFill, Mode, SourceImage
from generation.resolve import resolve

PICTURE = SourceImage.of(b"picture")
MASK = SourceImage.of(b"mask")


def resolved(draft: Draft, **defaults) -> GenerationRequest:
    return resolve(draft, **{"width": 512, "height": 512, "steps": 20, "cfg_scale": 7.0, **defaults})


def test_unsaid_values_are_filled_and_the_seed_is_drawn():
    request = resolved(Draft(prompt="a fox"))
    assert (request.width, request.height, request.steps, request.cfg_scale) == (512, 512, 20, 7.0)
    assert (request.mode, request.batch_size, request.negative_prompt) == (Mode.TXT2IMG, 1, "")
    assert 0 <= request.seed <= MAX_SEED


def test_what_was_said_stays_zero_included():
    request = resolved(Draft(prompt="a fox", seed=0, cfg_scale=0.0, steps=1, width=770, loras=(Lora(name="ink"),)))
    assert (request.seed, request.cfg_scale, request.steps, request.width) == (0, 0.0, 1, 770)
    assert (request.height, request.loras) == (512, (Lora(name="ink"),))


@pytest.mark.parametrize(
    ("draft", "size"),
    [
        (Draft(aspect=(1, 1)), (512, 512)),
        (Draft(aspect=(16, 9)), (640, 360)),
        (Draft(aspect=(9, 16)), (360, 640)),
        (Draft(aspect=(16, 9), width=1024), (1024, 576)),
        (Draft(aspect=(16, 9), height=576), (1024, 576)),
        (Draft(aspect=(16, 9), width=640, height=640), (640, 640)),
    ],
)
def test_aspect_becomes_a_size(draft, size):
    request = resolved(draft)
    assert (request.width, request.height) == size


@given(st.integers(1, 100), st.integers(1, 100), st.sampled_from([8, 16, 64]))
def test_aspect_keeps_the_pixel_count_and_the_grid(wide, high, grid):
    if max(wide, high) > 4 * min(wide, high):
        return
    request = resolved(Draft(aspect=(wide, high)), width=1024, height=1024, grid=grid)
    assert request.width % grid == request.height % grid == 0
    if request.width * high == request.height * wide:
        assert 1024 * 1024 / 1.8 <= request.width * request.height <= 1024 * 1024 * 1.8
    else:
        assert request.width * request.height == pytest.approx(1024 * 1024, rel=0.12)


@pytest.mark.parametrize("aspect", ["1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "21:9", "9:21", "5:4", "2:1"])
@pytest.mark.parametrize("native", [512, 768, 1024])
@pytest.mark.parametrize("grid", [8, 16])
def test_a_usual_shape_is_exact_where_the_grid_allows_it(aspect, native, grid):
    wide, high = map(int, aspect.split(":"))
    request = resolved(Draft(aspect=(wide, high)), width=native, height=native, grid=grid)
    assert request.width * high == request.height * wide
    assert request.width % grid == request.height % grid == 0


def test_a_shape_that_no_small_size_has_is_the_nearest():
    request = resolved(Draft(aspect=(191, 100)))
    assert (request.width, request.height) == (704, 368)


@pytest.mark.parametrize(
    ("draft", "mode", "strength"),
    [
        (Draft(), Mode.TXT2IMG, None),
        (Draft(denoising_strength=0.5), Mode.TXT2IMG, None),
        (Draft(init_image=PICTURE), Mode.IMG2IMG, DEFAULT_DENOISING_STRENGTH),
        (Draft(init_image=PICTURE, denoising_strength=0.0), Mode.IMG2IMG, 0.0),
        (Draft(init_image=PICTURE, mask_image=MASK), Mode.INPAINT, DEFAULT_DENOISING_STRENGTH),
        (Draft(init_image=PICTURE, upscale_factor=2.0), Mode.UPSCALE, None),
        (Draft(init_image=PICTURE, mode=Mode.TXT2IMG), Mode.TXT2IMG, None),
    ],
)
def test_mode_follows_from_the_pictures_unless_it_is_said(draft, mode, strength):
    request = resolved(draft)
    assert (request.mode, request.denoising_strength) == (mode, strength)
    assert (request.init_image is None) == (mode is Mode.TXT2IMG)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(mode=Mode.IMG2IMG), "init_image"),
        (Draft(mask_image=MASK), "init_image"),
        (Draft(upscale_factor=2.0), "init_image"),
        (Draft(mode=Mode.INPAINT, init_image=PICTURE), "mask_image"),
        (Draft(steps=0), "steps"),
    ],
)
def test_mode_without_its_pictures_is_refused(draft, field):
    with pytest.raises(RequestRejected) as caught:
        resolved(draft)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(width=63), "width"),
        (Draft(height=16385), "height"),
        (Draft(steps=501), "steps"),
        (Draft(cfg_scale=float("nan")), "cfg_scale"),
        (Draft(seed=-2), "seed"),
        (Draft(batch_size=0), "batch_size"),
        (Draft(denoising_strength=1.01), "denoising_strength"),
        (Draft(upscale_factor=0.5), "upscale_factor"),
        (Draft(clip_skip=0), "clip_skip"),
        (Draft(aspect=(0, 1)), "aspect"),
        (Draft(loras=(Lora(name="x", weight=float("inf")),)), "loras"),
        (Draft(prompt="x" * (MAX_PROMPT_CHARS + 1)), "prompt"),
        (Draft(negative_prompt="x" * (MAX_PROMPT_CHARS + 1)), "negative_prompt"),
    ],
)
def test_typed_values_are_held_to_the_same_ranges(draft, field):
    with pytest.raises(RequestRejected) as caught:
        validate(draft)
    assert caught.value.field == field


def test_draft_over_another_keeps_what_was_said_and_takes_the_rest():
    reply = Draft(prompt="a fox", steps=30, seed=0)
    lower = Draft(prompt="unused", steps=20, cfg_scale=5.0, seed=9, loras=(Lora(name="ink"),))
    assert reply.over(lower) == Draft(prompt="a fox", steps=30, cfg_scale=5.0, seed=0, loras=(Lora(name="ink"),))


def test_aspect_said_beats_a_preferred_size_and_size_said_beats_a_preferred_aspect():
    assert Draft(aspect=(2, 1)).over(Draft(width=512, height=512)) == Draft(aspect=(2, 1))
    assert Draft(width=640, height=640).over(Draft(aspect=(2, 1))) == Draft(width=640, height=640)


def test_empty_draft_changes_nothing_and_laying_is_associative():
    a, b, c = Draft(steps=1), Draft(steps=2, seed=3), Draft(seed=4, model="m")
    assert Draft().over(b) == b
    assert a.over(b).over(c) == a.over(b.over(c))


def test_guidance_stands_for_an_unsaid_cfg_scale():
    assert resolved(Draft(guidance=3.5)).cfg_scale == 3.5
    both = resolved(Draft(guidance=3.5, cfg_scale=1.0))
    assert (both.cfg_scale, both.guidance) == (1.0, 3.5)


def test_upscaler_goes_where_something_is_enlarged():
    assert resolved(Draft(prompt="a fox", upscaler="Lanczos")).upscaler is None
    hires = resolved(Draft(prompt="a fox", upscaler="Lanczos", hires=HiresFix())).hires
    assert hires == HiresFix(upscaler="Lanczos")
    assert resolved(Draft(init_image=PICTURE, upscale_factor=2.0, upscaler="Lanczos")).upscaler == "Lanczos"


def test_what_concerns_a_mask_is_kept_only_with_one():
    reply = Draft(prompt="a fox", init_image=PICTURE, mask_fill=MaskFill.NOISE, only_masked=True)
    assert (resolved(reply).mask_fill, resolved(reply).only_masked) == (None, None)
    masked = resolved(replace(reply, mask_image=MASK))
    assert (masked.mask_fill, masked.only_masked) == (MaskFill.NOISE, True)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(hires=HiresFix(factor=5.0)),
        Draft(hires=HiresFix(denoising_strength=1.5)),
        Draft(styles=("a",) * 11),
        Draft(control=(ControlUnit(kind="canny", image=PICTURE, weight=3.0),)),
        Draft(control=(ControlUnit(kind="canny", image=PICTURE),) * 4),
    ],
)
def test_nested_values_are_held_to_their_ranges(draft):
    with pytest.raises(RequestRejected):
        validate(draft)


def test_guidance_said_beats_a_preferred_cfg_scale():
    assert resolved(Draft(guidance=3.5).over(Draft(cfg_scale=9.0))).cfg_scale == 3.5
    assert resolved(Draft(guidance=3.5, cfg_scale=2.0).over(Draft(cfg_scale=9.0))).cfg_scale == 2.0
