"""Requests with several input pictures: kept in order, as many as are taken, the others said."""

from dataclasses import replace

import pytest

from generation.capabilities import Capabilities, Fit, fit
from generation.order import Order, OrderKind, order_from_json, order_to_json
from generation.request import (
    Draft,
    GenerationRequest,
    Mode,
    SourceImage,
    draft_from_json,
    draft_of,
    draft_to_json,
    request_from_json,
    request_to_json,
)
from generation.resolve import resolve
from generation.several_pictures import in_order, joined, left_out

CAN = Capabilities(modes=frozenset(Mode))
FIRST, SECOND, THIRD = (SourceImage.of(letter.encode()) for letter in "abc")


def request(*more: SourceImage, mode: Mode = Mode.IMG2IMG) -> GenerationRequest:
    draft = Draft(prompt="a fox", mode=mode, init_image=FIRST, more_images=more, seed=7)
    return resolve(draft, width=64, height=64, steps=4, cfg_scale=7.0)


def test_all_pictures_are_stored_and_read_again() -> None:
    asked = request(SECOND, THIRD)
    stored = request_to_json(asked)
    assert stored["more_images"] == [SECOND.media_id, THIRD.media_id]
    assert request_from_json(stored) == asked
    draft = draft_of(asked)
    assert draft_from_json(draft_to_json(draft)) == draft
    order = Order(kind=OrderKind.DRAW, draft=draft, files=("https://a/1", "https://a/2"), names=("1.png", "2.png"))
    assert order_from_json(order_to_json(order)) == order


def test_what_was_stored_before_is_read_and_has_the_same_key() -> None:
    old = request_to_json(request())
    assert "more_images" not in old
    assert request_from_json(old).more_images == ()
    reply = order_to_json(Order(kind=OrderKind.DRAW, draft=Draft(prompt="a fox"), files=("https://a/1",)))
    del reply["names"]
    assert order_from_json(reply).names == ()


def test_other_pictures_and_another_order_are_another_request() -> None:
    keys = {request().key(), request(SECOND).key(), request(SECOND, THIRD).key(), request(THIRD, SECOND).key()}
    assert len(keys) == 4


def test_words_alone_have_no_pictures() -> None:
    assert request(SECOND, mode=Mode.TXT2IMG).more_images == ()


@pytest.mark.parametrize(
    ("most", "kept", "note"),
    [
        (1, 0, "not used: b.png, c.png (one picture is drawn from)"),
        (2, 1, "not used: c.png (2 pictures are drawn from)"),
        (3, 2, ""),
    ],
)
def test_as_many_are_kept_as_are_taken_and_the_others_are_named(most: int, kept: int, note: str) -> None:
    asked = request(replace(SECOND, name="b.png"), replace(THIRD, name="c.png"))
    fitted = fit(asked, replace(CAN, max_images=most))
    assert isinstance(fitted, Fit)
    assert fitted.request.more_images == (SECOND, THIRD)[:kept]
    assert fitted.notes == ((note,) if note else ())


def test_pictures_without_a_name_are_counted() -> None:
    assert left_out((SECOND, THIRD)) == "2 more pictures ignored: one picture is drawn from"
    many = tuple(replace(SECOND, name=f"{number}.png") for number in range(6))
    assert left_out(many) == "not used: 0.png, 1.png, 2.png, 3.png, 2 more (one picture is drawn from)"


def test_all_that_is_not_used_is_one_remark() -> None:
    notes = ("steps 9", "not used: a.mp4 (only pictures are)", "size", "not used: b.png (one picture is drawn from)")
    line = "not used: a.mp4 (only pictures are), b.png (one picture is drawn from)"
    assert joined(notes) == ("steps 9", line, "size")
    assert joined(("a", "b")) == ("a", "b")


def test_the_first_picture_is_the_first_whichever_field_it_was_said_in() -> None:
    draft = in_order(Draft(more_images=(FIRST, SECOND)))
    assert (draft.init_image, draft.more_images) == (FIRST, (SECOND,))
    assert in_order(Draft(prompt="a fox")) == Draft(prompt="a fox")
