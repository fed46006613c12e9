"""Prompts made fuller by rules."""

import pytest

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from services.wording.enhancing import checked
from services.wording.rules import RuleEnhancer


def test_a_short_prompt_gets_what_it_is_silent_about():
    found = RuleEnhancer().enhance("a red fox in the snow")
    assert found.prompt.startswith("a red fox in the snow, ")
    assert "focus" in found.prompt or "detail" in found.prompt
    assert found.source == "rules"
    assert found.suggestions
    assert {"red", "fox", "snow", "animal"} <= set(found.tags)


def test_the_same_prompt_gives_the_same_answer():
    service = RuleEnhancer()
    assert service.enhance("a castle on a hill") == service.enhance(checked("a  castle on a hill "))


def test_what_a_prompt_says_is_not_said_again():
    reply = "close portrait of a queen, oil painting, candle light, highly detailed"
    found = RuleEnhancer().enhance(reply)
    assert found.prompt == reply


def test_a_drawing_gets_no_lens():
    assert "lens" not in RuleEnhancer().enhance("watercolor of a lake").prompt


def test_it_never_grows_beyond_what_a_prompt_may_hold():
    found = RuleEnhancer().enhance("fox " * 998 + "fox")
    assert len(found.prompt) <= MAX_PROMPT_CHARS


@pytest.mark.parametrize("prompt", ["", "  ", "x" * (MAX_PROMPT_CHARS + 1)])
def test_no_prompt_and_too_long_a_one_are_refused(prompt):
    with pytest.raises(RequestRejected):
        checked(prompt)
