"""Prompts made fuller by a text engine, and by rules where it cannot."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from generation.errors import BackendUnavailable, Barred, ContentBlocked, HouseRefusal, LimitReached, RequestRejected
from services.wording.enhancing import PromptService
from tests.services.wording.rig import ORIGIN, FakeGate, FakeTextEngine, text_service

SAYS = {
    "prompt": "a red fox in snow, low sun",
    "alternatives": ["a fox asleep", "A fox asleep", "a fox at night", "  ", "a red fox"],
    "tags": ["Fox", "#snow", "fox", ""],
}


def prompts(engine: Any, gate: FakeGate | None = None) -> PromptService:
    rules: Any = gate or FakeGate()
    return PromptService(text_service(engine), rules)


async def test_a_model_writes_the_prompt_other_ones_and_tags():
    enhanced = await prompts(FakeTextEngine(SAYS)).enhance("a red fox", ORIGIN)
    assert enhanced.prompt == "a red fox in snow, low sun"
    assert enhanced.suggestions == ("a fox asleep", "a fox at night")  # neither twice nor what was given
    assert enhanced.tags == ("fox", "snow")
    assert (enhanced.source, enhanced.has_prompts, enhanced.notes) == ("claude-haiku-5-5", True, ())


async def test_without_one_the_rules_write_and_it_is_written_there():
    enhanced = await prompts(None).enhance("a red fox", ORIGIN)
    assert enhanced.source == "rules"
    assert enhanced.notes == ("No text engine is connected here: the rules wrote this.",)


@pytest.mark.parametrize("error", [BackendUnavailable("It is gone."), ContentBlocked("It refuses these words.")])
async def test_one_that_fails_or_refuses_leaves_it_to_the_rules_with_the_reason(error):
    enhanced = await prompts(FakeTextEngine(error)).enhance("a red fox", ORIGIN)
    assert enhanced.source == "rules"
    assert enhanced.prompt.startswith("a red fox, ")
    assert enhanced.notes == (f"{error.user_message} The rules wrote this instead.",)


async def test_an_empty_answer_leaves_it_to_the_rules():
    enhanced = await prompts(FakeTextEngine(SAYS | {"prompt": " \n"})).enhance("a red fox", ORIGIN)
    assert enhanced.source == "rules"


async def test_what_may_not_be_drawn_is_not_sent_to_a_model():
    engine = FakeTextEngine(SAYS)
    with pytest.raises(HouseRefusal):
        await prompts(engine, FakeGate("fox")).enhance("a red fox", ORIGIN)
    assert engine.asked == []


async def test_who_is_banned_is_refused():
    gate = FakeGate()
    gate.bars = Barred()
    engine = FakeTextEngine(SAYS)
    with pytest.raises(Barred):
        await prompts(engine, gate).enhance("a red fox", ORIGIN)
    assert engine.asked == []


async def test_what_a_model_writes_passes_the_same_rules_as_what_is_typed():
    engine = FakeTextEngine(SAYS | {"prompt": "a naked fox", "alternatives": ["a fox"]})
    enhanced = await prompts(engine, FakeGate("naked")).enhance("a red fox", ORIGIN)
    assert enhanced.source == "rules"
    assert "naked" not in enhanced.prompt
    assert "is not drawn here" in enhanced.notes[0]


async def test_other_prompts_that_may_not_be_drawn_are_left_out():
    enhanced = await prompts(FakeTextEngine(SAYS), FakeGate("asleep")).enhance("a red fox", ORIGIN)
    assert enhanced.suggestions == ("a fox at night",)


async def test_rules_of_a_channel_for_adults_hold_for_a_model_too():
    engine = FakeTextEngine(SAYS | {"prompt": "a naked fox"})
    origin = replace(ORIGIN, is_age_restricted=True)
    assert (await prompts(engine, FakeGate("naked")).enhance("a red fox", origin)).prompt == "a naked fox"


async def test_who_waits_already_is_told_so():
    engine = FakeTextEngine(SAYS)
    engine.gate.clear()
    service = prompts(engine)
    first = asyncio.create_task(service.enhance("a red fox", ORIGIN))
    while not engine.asked:
        await asyncio.sleep(0)
    with pytest.raises(LimitReached):
        await service.enhance("a cat", ORIGIN)
    engine.gate.set()
    await first


async def test_who_may_only_read_costs_nothing():
    engine = FakeTextEngine(SAYS)
    enhanced = await prompts(engine).enhance("a red fox", ORIGIN, by_engine=False)
    assert (enhanced.source, engine.asked) == ("rules", [])


async def test_two_prompts_for_one_subject_are_offered():
    pair = await prompts(FakeTextEngine(SAYS)).pair("a fox", ORIGIN)
    assert (pair.first, pair.second) == ("a red fox in snow, low sun", "a fox asleep")
    assert pair.notes == ("both prompts written by claude-haiku-5-5",)
    single = await prompts(FakeTextEngine(SAYS | {"alternatives": []})).pair("a fox", ORIGIN)
    assert (single.first, single.second) == ("a fox", "a red fox in snow, low sun")


async def test_without_a_text_engine_the_second_is_the_first_written_by_rules_and_that_is_told():
    pair = await prompts(None).pair("a fox", ORIGIN)
    assert pair.first == "a fox"
    assert pair.second.startswith("a fox, ")
    assert pair.notes == (
        "B is A, written more fully by rules", "No text engine is connected here: the rules wrote this."
    )  # fmt: skip


@pytest.mark.parametrize("prompt", ["", "   ", "x" * 5000])
async def test_no_prompt_and_too_long_a_one_are_refused(prompt):
    engine = FakeTextEngine(SAYS)
    with pytest.raises(RequestRejected):
        await prompts(engine).enhance(prompt, ORIGIN)
    assert engine.asked == []
