"""Replies in plain words: 200 sentences as people type them, half of them kept apart while the rules were written."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.wishes.reading import as_operation, is_talk, read_reply
from generation.wishes.wish import Operation

SENTENCES = Path(__file__).parents[2] / "data" / "reply_words"
MOST_MS = 50.0
EXPECTED = 180  # of 200


def sentences(name: str) -> list[tuple[str, str]]:
    table: dict[str, Any] = tomllib.loads((SENTENCES / f"{name}.toml").read_text())
    return [(operation, sentence) for operation, group in table.items() for sentence in group]


def test_at_least_180_of_200_sentences_are_read_as_they_are_meant() -> None:
    both = [*sentences("written_for"), *sentences("kept_apart")]
    assert len(both) == len(set(both)) == 200
    wrong = [(meant, text) for meant, text in both if getattr(read_reply(text), "operation", None) != meant]
    assert len(both) - len(wrong) >= EXPECTED, wrong


@pytest.mark.parametrize("text", [text for __, text in sentences("talk")])
def test_talk_is_left_alone(text: str) -> None:
    assert read_reply(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2000) | st.lists(st.sampled_from([t for __, t in sentences("kept_apart")])).map(" ".join))
def test_any_text_is_read_quickly_and_raises_nothing(text: str) -> None:
    begun = time.process_time()
    read_reply(text)
    is_talk(text)
    as_operation(text, Operation.EDIT)
    assert (time.process_time() - begun) * 1000 < MOST_MS * 4, "three readings, on a busy machine"


@pytest.mark.parametrize("text", ["seed", "Seed?", "what's the seed", "the seed pls"])
def test_the_seed_is_asked_for(text: str) -> None:
    wish = read_reply(text)
    assert wish is not None
    assert wish.operation is Operation.SEED


@pytest.mark.parametrize("text", ["info", "Info?", "what prompt did you use?", "which model is this"])
def test_the_parameters_are_asked_for(text: str) -> None:
    wish = read_reply(text)
    assert wish is not None
    assert wish.operation is Operation.INFO


@pytest.mark.parametrize(
    ("text", "operation", "pick"),
    [("upscale the second one", "upscale", 1), ("vary 3", "vary", 2), ("make image 4 darker", "recolour", 3)],
)
def test_one_of_several_is_named(text: str, operation: str, pick: int) -> None:
    wish = read_reply(text)
    assert wish is not None
    assert (wish.operation, wish.pick) == (operation, pick)


def test_options_stand_behind_the_words() -> None:
    wish = read_reply("make it night --steps 30 --strength 0.4")
    assert wish is not None
    assert (wish.options.steps, wish.options.denoising_strength) == (30, 0.4)


def test_another_operation_may_be_meant() -> None:
    wish = as_operation("nice! make it night", Operation.RECOLOUR)
    assert (wish.operation, wish.words) == (Operation.RECOLOUR, "make it night")


@pytest.mark.parametrize("text", ["nice!", "lol thanks", "so cute"])
def test_praise_is_talk(text: str) -> None:
    assert is_talk(text)
    assert not is_talk("a castle at night")
