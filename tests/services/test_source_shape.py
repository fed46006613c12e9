"""The size of a picture that somebody brought is kept, unless another was said."""

import pytest

from generation.options import validate
from generation.request import ControlUnit, Draft, SourceImage
from services.drawing.choosing import sized_like_its_picture

WIDE = SourceImage(media_id="x", width=1600, height=900)


def test_a_source_gives_its_size_where_none_was_said() -> None:
    draft = sized_like_its_picture(Draft(prompt="x", init_image=WIDE))
    assert (draft.width, draft.height, draft.is_source_size) == (1600, 900, True)


def test_a_picture_that_steers_gives_its_size_too() -> None:
    draft = sized_like_its_picture(Draft(prompt="x", control=(ControlUnit(kind="canny", image=WIDE),)))
    assert (draft.width, draft.height) == (1600, 900)


@pytest.mark.parametrize("reply", [{"width": 512, "height": 512}, {"aspect": (1, 1)}])
def test_a_size_or_shape_that_was_said_wins(reply: dict[str, int]) -> None:
    draft = Draft(prompt="x", init_image=WIDE, **reply)
    assert sized_like_its_picture(draft) == draft


@pytest.mark.parametrize(("reply", "size"), [({"width": 800}, (800, 450)), ({"height": 90}, (160, 90))])
def test_one_side_gives_the_other(reply: dict[str, int], size: tuple[int, int]) -> None:
    draft = sized_like_its_picture(Draft(prompt="x", init_image=WIDE, **reply))
    assert (draft.width, draft.height, draft.is_source_size) == (*size, None)


@pytest.mark.parametrize("size", [(4000, 100), (1, 1), (20_000, 3), (17, 31)])
def test_a_source_may_be_of_a_size_that_cannot_be_said(size: tuple[int, int]) -> None:
    draft = sized_like_its_picture(Draft(init_image=SourceImage(media_id="x", width=size[0], height=size[1])))
    assert (draft.width, draft.height) == size
    validate(draft)


def test_a_source_of_unknown_size_is_left_to_the_engine() -> None:
    draft = Draft(init_image=SourceImage(media_id="x"))
    assert sized_like_its_picture(draft) == draft


def test_a_size_said_later_is_no_longer_the_sources() -> None:
    base = Draft(init_image=WIDE, width=1600, height=900, is_source_size=True)
    assert Draft(width=512, height=512).over(base).is_source_size is None
    assert Draft(prompt="y").over(base).is_source_size is True
