"""The place of a picture on an engine's canvas: all of it, on the grid, within the limits, the same after a restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.framing import PICTURE_TIMES_DEFAULT, canvas_for, frame, reduction
from generation.prompt_syntax import format_prompt
from generation.request import Draft

SIDES = st.integers(1, 20_000)
GRIDS = st.sampled_from([1, 8, 16, 64])
LEAST, MOST = st.integers(1, 512), st.integers(512, 8000)


@given(SIDES, SIDES, GRIDS, LEAST, MOST, st.none() | st.integers(10_000, 2_000_000))
def test_the_whole_picture_lies_on_the_canvas(
    width: int, height: int, grid: int, least: int, most: int, native: int | None
) -> None:
    drawn = canvas_for((width, height), grid, (least, most), native)
    place = frame((width, height), drawn)
    assert all(side % grid == 0 and least <= side <= max(most, least + grid) for side in drawn)
    assert all(1 <= inner <= side for inner, side in zip(place.inner, drawn, strict=True))
    if not place.is_reduced:
        assert reduction((width, height), drawn, most) == ""
    elif native is None:
        assert max(width, height) > most // grid * grid
    scale = max(place.inner) / max(width, height)
    assert place.inner == pytest.approx((width * scale, height * scale), abs=1)  # stretched by a pixel at most


@given(SIDES, SIDES, GRIDS, st.integers(10_000, 2_000_000))
def test_a_model_is_not_given_many_times_its_own_pixels(width: int, height: int, grid: int, native: int) -> None:
    drawn = canvas_for((width, height), grid, (1, 8000), native)
    place = frame((width, height), drawn)
    if place.is_reduced and max(drawn) < 8000 // grid * grid and min(drawn) > grid:
        assert drawn[0] * drawn[1] <= PICTURE_TIMES_DEFAULT * native
    else:  # what fits is padded to the grid, whatever that adds
        assert place.inner[0] * place.inner[1] <= max(PICTURE_TIMES_DEFAULT * native, grid * max(drawn))


@pytest.mark.parametrize(
    ("size", "drawn", "inner"),
    [
        ((700, 500), (704, 512), (700, 500)),
        ((1920, 1080), (1920, 1088), (1920, 1080)),
        ((40, 30), (256, 192), (256, 192)),
        ((2048, 64), (1024, 64), (1024, 32)),
    ],
)
def test_what_is_drawn_for_a_size(size: tuple[int, int], drawn: tuple[int, int], inner: tuple[int, int]) -> None:
    limits = {(40, 30): (192, 2048), (2048, 64): (64, 1024)}.get(size, (64, 2048))
    assert canvas_for(size, 64, limits) == drawn
    assert frame(size, drawn).inner == inner


@pytest.mark.parametrize(("size", "line"), [((40, 30), "a fox"), ((700, 500), "a fox --size 700x500")])
def test_a_source_size_that_cannot_be_typed_is_not_written(size: tuple[int, int], line: str) -> None:
    assert format_prompt(Draft(prompt="a fox", width=size[0], height=size[1], is_source_size=True)) == line
