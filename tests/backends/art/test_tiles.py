"""Enlarging tile by tile: nothing is left out, nothing shows where tiles meet, and it can be stopped in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFilter

from backends.art.work.tiles import enlarge, tiles_of

NOISE = Image.effect_noise((150, 90), 80).convert("RGB")


def doubled(part):
    """A network that sees 3 pixels around each."""
    return part.filter(ImageFilter.BoxBlur(3)).resize((part.width * 2, part.height * 2), Image.Resampling.NEAREST)


def enlarged(side, overlap, on_tile=lambda done, count: None, picture=NOISE):
    return enlarge(picture, doubled, 2, side=side, overlap=overlap, on_tile=on_tile)


@given(width=st.integers(1, 700), height=st.integers(1, 700), side=st.integers(16, 256))
def test_tiles_cover_each_pixel_once_and_none_is_larger_than_asked(width, height, side):
    tiles = tiles_of(width, height, side)
    assert sum(tile.width * tile.height for tile in tiles) == width * height
    assert all(1 <= tile.width <= side and 1 <= tile.height <= side for tile in tiles)
    assert all(tile.left >= 0 and tile.left + tile.width <= width for tile in tiles)
    assert all(tile.top >= 0 and tile.top + tile.height <= height for tile in tiles)
    assert len({(tile.left, tile.top) for tile in tiles}) == len(tiles)


def test_tiles_are_about_equally_large():
    assert {(tile.width, tile.height) for tile in tiles_of(300, 256, 256)} == {(150, 256)}


@pytest.mark.parametrize("side", [16, 33, 64])
def test_with_enough_overlap_no_tile_can_be_told_from_the_whole(side):
    assert ImageChops.difference(enlarged(side, 3), enlarged(1000, 3)).getbbox() is None


def test_without_overlap_the_tiles_would_show():
    assert ImageChops.difference(enlarged(32, 0), enlarged(1000, 0)).getbbox() is not None


def test_an_even_picture_stays_even_to_its_border():
    white = Image.new("RGB", (40, 30), "white")
    assert enlarged(16, 3, picture=white).getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (70, 1)])
def test_the_thinnest_picture_is_enlarged_too(size):
    assert enlarged(16, 3, picture=Image.new("RGB", size, "red")).size == (size[0] * 2, size[1] * 2)


def test_each_tile_is_reported_and_the_work_can_be_stopped_between_two():
    reports = []
    enlarged(64, 3, lambda done, count: reports.append((done, count)))
    assert reports == [(done, 6) for done in range(7)]

    def stop(done, count):
        reports.append(done)
        if done == 2:
            raise KeyboardInterrupt

    reports.clear()
    with pytest.raises(KeyboardInterrupt):
        enlarged(64, 3, stop)
    assert reports == [0, 1, 2]
