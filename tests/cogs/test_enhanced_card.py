"""The message with a prompt before and after: what its buttons read from it is what was shown."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.enhancing.card import enhanced_card, words_in
from constants import DISCORD_CONTENT_CHARS
from generation.errors import RequestRejected
from services.wording.cleaning import clean_prompt
from services.wording.rules import Enhanced

BY_MODEL = Enhanced(prompt="x", suggestions=("one way", "2  another"), tags=(), source="m", has_prompts=True)
BY_RULES = Enhanced(prompt="x", suggestions=("Say where the light is.",), tags=(), source="rules")


def message(content: str) -> Any:
    return SimpleNamespace(content=content)


def actions(card: Any) -> list[str]:
    return [control.argument for row in card.rows for control in (row if isinstance(row, tuple) else (row,))]


def test_what_was_shown_is_read_back() -> None:
    words = words_in(message(enhanced_card("a fox", "a red fox", BY_MODEL).content))
    assert (words.before, words.after, words.others) == ("a fox", "a red fox", ("one way", "2  another"))


def test_advice_of_the_rules_is_no_prompt_to_draw() -> None:
    card = enhanced_card("a fox", "a red fox", BY_RULES)
    assert words_in(message(card.content)).others == ()
    assert actions(card) == ["draw", "edit", "again", "vote"]


@given(before=st.text(max_size=1500), after=st.text(max_size=1500).map(clean_prompt), others=st.lists(st.text()))
def test_every_message_fits_and_holds_the_whole_prompt(before: str, after: str, others: list[str]) -> None:
    cleaned = tuple(filter(None, map(clean_prompt, others)))[:3]
    enhanced = Enhanced(prompt=after, suggestions=cleaned, tags=(), source="m", has_prompts=True)
    card = enhanced_card(before, after, enhanced)
    assert len(card.content) <= DISCORD_CONTENT_CHARS
    if after:
        assert words_in(message(card.content)).after == after


def test_a_long_prompt_is_shown_without_what_was_before_and_cannot_be_asked_for_again() -> None:
    card = enhanced_card("b" * 900, "a" * 1000, BY_RULES)
    assert "b" not in card.content.split("```")[1]
    assert actions(card) == ["draw", "edit"]


def test_one_that_fits_no_message_is_refused_with_where_it_fits() -> None:
    with pytest.raises(RequestRejected) as refused:
        enhanced_card("a", "a" * 1900, BY_RULES)
    assert "studio" in refused.value.hint


def test_a_message_without_words_is_refused() -> None:
    with pytest.raises(RequestRejected):
        words_in(message("hello"))
