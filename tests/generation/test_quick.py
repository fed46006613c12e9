"""Drafts: what is drawn quickly, and of what it can be told later that it is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generation.capabilities import Capabilities, Fit, fit
from generation.request import Draft, GenerationRequest, HiresFix, Mode, SourceImage
from generation.resolve import resolve, resolve_for

CAN = Capabilities(modes=frozenset(Mode), default_width=1024, default_height=1024)
PICTURE = SourceImage.of(b"x", 640, 640)


def fitted(draft: Draft, can: Capabilities = CAN) -> tuple[GenerationRequest, Fit]:
    request = resolve_for(draft, can)
    bent = fit(request, can)
    assert isinstance(bent, Fit)
    return request, bent


@pytest.mark.parametrize(
    ("size", "quick"),
    [
        ((1024, 1024), (512, 512)),
        ((1216, 832), (608, 416)),
        ((1344, 768), (672, 384)),
        ((512, 512), (384, 384)),
        ((512, 768), (384, 576)),
        ((384, 384), (384, 384)),
        ((64, 64), (64, 64)),
    ],
)
def test_a_draft_is_half_as_large_in_the_same_shape_but_not_too_small(
    size: tuple[int, int], quick: tuple[int, int]
) -> None:
    asked, bent = fitted(Draft(prompt="a fox", draft=True, width=size[0], height=size[1]))
    assert (asked.width, asked.height) == size
    assert (bent.request.width, bent.request.height) == quick
    assert bent.notes == ()


@pytest.mark.parametrize(("steps", "quick"), [(20, 8), (30, 12), (50, 12), (10, 6), (4, 4)])
def test_it_has_few_steps(steps: int, quick: int) -> None:
    asked, bent = fitted(Draft(prompt="a fox", draft=True, steps=steps))
    assert (asked.steps, bent.request.steps) == (steps, quick)


def test_it_is_four_pictures_unless_a_number_was_given_and_has_no_second_pass() -> None:
    asked, bent = fitted(Draft(prompt="a fox", draft=True, hires=HiresFix()))
    assert (asked.batch_size, bent.request.batch_size, bent.request.hires) == (4, 4, None)
    assert asked.hires is not None
    assert fitted(Draft(prompt="a fox", draft=True, batch_size=2))[1].request.batch_size == 2
    assert fitted(Draft(prompt="a fox", draft=False))[1].request.batch_size == 1


def test_what_was_drawn_says_nothing_of_drafts_so_its_figures_make_it_again() -> None:
    _, bent = fitted(Draft(prompt="a fox", draft=True))
    assert bent.request.draft is None


def test_a_picture_from_a_picture_is_no_draft_and_a_note_says_so() -> None:
    asked, bent = fitted(Draft(prompt="a fox", draft=True, init_image=PICTURE, width=640, height=640))
    assert bent.notes == ("--draft ignored: it is for pictures from text alone",)
    assert (asked.batch_size, bent.request.width) == (1, 640)


def test_an_engine_that_draws_nothing_quicker_draws_one_in_full() -> None:
    _, bent = fitted(Draft(prompt="a fox", draft=True), replace(CAN, supports_steps=False))
    assert (bent.request.batch_size, bent.request.width) == (1, 1024)
    assert "nothing quicker" in bent.notes[0]


def test_chaos_is_ignored_in_words_where_there_is_no_second_seed() -> None:
    draft = Draft(prompt="a fox", chaos=40, batch_size=4)
    _, bent = fitted(draft)
    assert bent.notes == ("--chaos ignored by this engine: it has no second seed to vary by",)
    assert (bent.request.subseed, bent.request.subseed_strength) == (None, None)
    asked, there = fitted(draft, replace(CAN, supports_subseed=True))
    assert there.notes == ()
    assert (there.request.subseed_strength, there.request.subseed) == (0.4, asked.subseed)


def test_the_second_seed_is_drawn_once_so_that_the_picture_can_be_made_again() -> None:
    request = resolve(Draft(prompt="a fox", chaos=40), width=64, height=64, steps=20, cfg_scale=7.0)
    assert request.subseed is not None
    given = Draft(prompt="a fox", subseed=7, subseed_strength=0.2)
    again = resolve(given, width=64, height=64, steps=20, cfg_scale=7.0)
    assert (again.subseed, again.subseed_strength) == (7, 0.2)
