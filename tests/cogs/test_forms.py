"""Input of forms, and how pictures are shared out over messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.cards import CardPicture, make_id, parse_id, to_files, to_view
from cogs.jobs import forms
from constants import MAX_STEPS
from generation.errors import RequestRejected
from generation.request import Mode, SourceImage
from tests.cogs.samples import JOB, REQUEST

TYPED = {"prompt": "a fox", "negative": "", "size": "768x512", "steps_cfg": "25, 7", "seed": "81245"}


def test_an_untouched_seed_is_kept_and_an_emptied_one_drawn() -> None:
    assert forms.read_edit(TYPED, REQUEST).seed == 81245
    assert forms.read_edit({**TYPED, "seed": ""}, REQUEST).seed is None


def test_options_in_the_prompt_win_over_the_fields() -> None:
    draft = forms.read_edit({**TYPED, "prompt": "a fox --steps 9 --no dogs"}, REQUEST)
    assert (draft.prompt, draft.steps, draft.negative_prompt) == ("a fox", 9, "dogs")


@pytest.mark.parametrize("typed", ["30", "30,", "30, 5.5", "30/5.5", "30; 5.5", " 30 , 5.5 "])
def test_steps_and_cfg_are_read_from_one_field(typed: str) -> None:
    draft = forms.read_edit({**TYPED, "steps_cfg": typed}, REQUEST)
    assert draft.steps == 30
    assert draft.cfg_scale == (5.5 if "5.5" in typed else None)


def test_the_size_of_a_source_is_kept_when_it_is_left_as_it_was() -> None:
    before = replace(REQUEST, width=40, height=30, is_source_size=True)
    draft = forms.read_edit({**TYPED, "size": "40x30"}, before)
    assert (draft.width, draft.height) == (None, None)
    assert forms.read_edit({**TYPED, "size": "80x90"}, before).width == 80


def test_an_empty_size_is_refused_with_an_example() -> None:
    with pytest.raises(RequestRejected, match="768x512"):
        forms.read_size({"size": " "})


@pytest.mark.parametrize(("steps", "more"), [(1, 6), (20, 30), (40, 60), (MAX_STEPS, MAX_STEPS)])
def test_more_steps(steps: int, more: int) -> None:
    assert forms.more_steps(steps) == more


def test_smaller_is_about_half_the_pixels() -> None:
    draft = forms.smaller(REQUEST)
    assert (draft.width, draft.height, draft.steps, draft.batch_size) == (512, 384, 20, 1)


@pytest.mark.parametrize("size", [(600, 400), (400, 600), (1000, 130), (768, 512)])
def test_smaller_keeps_the_shape_of_the_picture_that_is_drawn_over(size: tuple[int, int]) -> None:
    source = SourceImage(media_id="s", width=size[0], height=size[1])
    request = replace(REQUEST, mode=Mode.IMG2IMG, init_image=source, width=size[0], height=size[1])
    draft = forms.smaller(request)
    assert draft.width
    assert draft.height
    assert draft.width / draft.height == pytest.approx(size[0] / size[1], rel=0.02)
    assert draft.width * draft.height <= max(0.6 * size[0] * size[1], 64 * 64)


def test_files_are_shared_out_by_number_and_size() -> None:
    small = CardPicture(data=b"x", filename="a.png", alt_text="")
    big = CardPicture(data=bytes(10 * 1024 * 1024), filename="b.png", alt_text="")
    assert [len(batch) for batch in forms.pack([small] * 23)] == [10, 10, 3]
    assert [len(batch) for batch in forms.pack([big] * 5)] == [2, 2, 1]


@pytest.mark.parametrize("parts", [("reroll", "3f9a", ""), ("pick", "3f9a", "2"), ("page", "3f9a", "model-1")])
def test_ids_carry_action_job_and_argument(parts: tuple[str, str, str]) -> None:
    assert parse_id(make_id(*parts)) == parts


@pytest.mark.parametrize("foreign", ["", "again", "e2:reroll:1", "e1x"])
def test_ids_of_others_are_not_ours(foreign: str) -> None:
    assert parse_id(foreign) is None


async def test_a_view_is_not_kept_by_the_library() -> None:
    view = to_view(forms.menu("model", JOB.id, ["a"], None, 0).rows)
    assert view is not None
    assert view.is_finished()
    assert to_view(()) is None


def test_files_are_made_anew_each_time() -> None:
    picture = CardPicture(data=b"abc", filename="a.png", alt_text="x" * 2000)
    first, second = to_files((picture,)), to_files((picture,))
    assert first[0].fp.read() == second[0].fp.read() == b"abc"
    assert len(first[0].description or "") == 1024
