"""From a wish to a draft: sizes, sides, factors, words."""

from __future__ import annotations

import pytest

from generation.request import Draft, GenerationRequest, Mode, Pan
from generation.wishes.drafts import Way, plain_change, way_of
from generation.wishes.reading import read_reply

DRAWN = GenerationRequest(
    prompt="a red fox, a hat", negative_prompt="blurry", width=768, height=512, steps=20, cfg_scale=7, seed=5
)


def way(text: str, *, has_mask: bool = False) -> Way:
    wish = read_reply(text)
    assert wish is not None
    return way_of(wish, DRAWN, seed=7, has_mask=has_mask)


def draft(text: str, *, has_mask: bool = False) -> Draft:
    wanted = way(text, has_mask=has_mask).draft
    assert wanted is not None
    return wanted


@pytest.mark.parametrize(
    ("text", "factor"),
    [("2x", 2), ("x4", 4), ("upscale", 2), ("double the size", 2), ("in 4k", 5), ("make it 4k", 5)],
)
def test_an_upscale_takes_its_factor_from_the_words(text: str, factor: float) -> None:
    assert draft(text).upscale_factor == factor
    assert way(text).mode is Mode.UPSCALE


@pytest.mark.parametrize(
    ("text", "zoom", "pan"),
    [
        ("zoom out", 1.5, None),
        ("zoom out 2x", 2.0, None),
        ("zoom out a bit", 1.25, None),
        ("pan left", None, Pan.LEFT),
        ("what is on the right?", None, Pan.RIGHT),
        ("more space above", None, Pan.UP),
        ("show whats below", None, Pan.DOWN),
        ("more room on both sides", 1.5, None),
    ],
)
def test_more_of_the_scene_on_the_side_that_was_named(text: str, zoom: float | None, pan: Pan | None) -> None:
    wanted = draft(text)
    assert (wanted.zoom, wanted.pan) == (zoom, pan)
    assert way(text).mode is Mode.INPAINT


@pytest.mark.parametrize(
    ("text", "size", "aspect"),
    [
        ("make it 1024x768", (1024, 768), None),
        ("resize it to 800 by 600", (800, 600), None),
        ("16:9", (None, None), (16, 9)),
        ("make it square", (None, None), (1, 1)),
        ("portrait please", (None, None), (2, 3)),
        ("phone wallpaper format", (None, None), (9, 16)),
        ("wallpaper size", (None, None), (16, 9)),
        ("wider", (888, 440), None),
    ],
)
def test_another_shape_is_drawn_with_the_same_seed(
    text: str, size: tuple[int | None, int | None], aspect: tuple[int, int] | None
) -> None:
    wanted = draft(text)
    assert (wanted.width, wanted.height) == size
    assert (wanted.aspect, wanted.seed) == (aspect, 7)
    assert not way(text).takes_picture


def test_words_are_laid_behind_those_of_the_picture() -> None:
    wanted = draft("make it night")
    assert wanted.prompt == "a red fox, a hat, night"
    assert wanted.negative_prompt == "blurry"
    assert wanted.denoising_strength == 0.6


def test_what_should_go_leaves_the_words_and_is_kept_out() -> None:
    wanted = draft("remove the hat")
    assert wanted.prompt == "a red fox, a hat"
    assert wanted.negative_prompt == "blurry, hat"
    assert draft("remove a hat").prompt == "a red fox"


def test_a_mask_makes_it_an_inpaint_of_that_part() -> None:
    wanted = draft("replace the hat with a crown", has_mask=True)
    assert (wanted.mode, wanted.prompt, wanted.denoising_strength) == (Mode.INPAINT, "a crown", None)


@pytest.mark.parametrize(
    ("text", "count", "strength"),
    [("4 variations", 4, 0.65), ("subtle variation", 1, 0.35), ("vary strong", 1, 0.75)],
)
def test_variations(text: str, count: int, strength: float) -> None:
    wanted = draft(text)
    assert (wanted.batch_size, wanted.denoising_strength) == (count, strength)


def test_again_several_times() -> None:
    assert draft("again but 4 of them").batch_size == 4
    assert draft("again").batch_size is None


@pytest.mark.parametrize("text", ["remove the background", "transparent background please", "zoom in"])
def test_what_no_engine_can_do_has_no_draft(text: str) -> None:
    assert way(text).draft is None


def test_options_win_over_what_the_words_mean() -> None:
    assert draft("subtle variation --strength 0.9 --batch 2").denoising_strength == 0.9
    assert draft("subtle variation --strength 0.9 --batch 2").batch_size == 2


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("make it look like a painting", "like a painting"),
        ("turn it into a watercolour", "a watercolour"),
        ("the same but as a cartoon", "a cartoon"),
        ("make her smile", "her smile"),
        ("with snow", "with snow"),
    ],
)
def test_the_verb_is_no_part_of_the_picture(words: str, change: str) -> None:
    assert plain_change(words) == change
