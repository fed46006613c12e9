"""The shape of a picture that somebody brought is kept, unless a size was said."""

from generation.request import Draft, SourceImage
from services.choosing import _shaped_like_its_source

WIDE = SourceImage(media_id="x", width=1600, height=900)


def test_a_source_without_a_size_gives_its_shape():
    assert _shaped_like_its_source(Draft(prompt="x", init_image=WIDE)).aspect == (1600, 900)


def test_a_size_that_was_said_wins():
    draft = Draft(prompt="x", init_image=WIDE, width=512, height=512)
    assert _shaped_like_its_source(draft) == draft


def test_an_aspect_that_was_said_wins():
    draft = Draft(prompt="x", init_image=WIDE, aspect=(1, 1))
    assert _shaped_like_its_source(draft) == draft


def test_a_strip_too_long_for_engines_is_left_to_the_defaults():
    strip = SourceImage(media_id="x", width=4000, height=100)
    assert _shaped_like_its_source(Draft(init_image=strip)).aspect is None
