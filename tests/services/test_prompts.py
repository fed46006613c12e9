"""Prompts made fuller by rules."""

import pytest

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from services.drawing.prompts import Enhanced, PromptService


async def test_a_short_prompt_gets_what_it_is_silent_about():
    found = await PromptService().enhance("a red fox in the snow")
    assert found.prompt.startswith("a red fox in the snow, ")
    assert "focus" in found.prompt or "detail" in found.prompt
    assert found.source == "rules"
    assert found.suggestions
    assert {"red", "fox", "snow", "animal"} <= set(found.tags)


async def test_the_same_prompt_gives_the_same_answer():
    service = PromptService()
    assert await service.enhance("a castle on a hill") == await service.enhance("a  castle on a hill ")


async def test_what_a_prompt_says_is_not_said_again():
    reply = "close portrait of a queen, oil painting, candle light, highly detailed"
    found = await PromptService().enhance(reply)
    assert found.prompt == reply


async def test_a_drawing_gets_no_lens():
    assert "lens" not in (await PromptService().enhance("watercolor of a lake")).prompt


async def test_it_never_grows_beyond_what_a_prompt_may_hold():
    found = await PromptService().enhance("fox " * 998 + "fox")
    assert len(found.prompt) <= MAX_PROMPT_CHARS


@pytest.mark.parametrize("prompt", ["", "  ", "x" * (MAX_PROMPT_CHARS + 1)])
async def test_no_prompt_and_too_long_a_one_are_refused(prompt):
    with pytest.raises(RequestRejected):
        await PromptService().enhance(prompt)


async def test_another_enhancer_can_take_the_place_of_the_rules():
    class Model:
        async def enhance(self, prompt):
            return Enhanced(prompt=prompt.upper(), suggestions=(), tags=(), source="model")

    assert (await PromptService(Model()).enhance("fox")).prompt == "FOX"
