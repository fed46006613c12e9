"""The picture in a conversation: by a text engine alone, within the house rules, without names."""

from typing import Any

import pytest

from generation.errors import CapabilityError, HouseRefusal, RequestRejected
from services.wording.chat import LINE_CHARS, MOST_LINES, ChatLine, ChatService
from tests.services.wording.rig import ORIGIN, FakeGate, FakeTextEngine, text_service

LINES = [ChatLine(speaker="7", words="a storm\nlast night"), ChatLine(speaker="8", words="and the lighthouse!")]


def chat(engine: Any, gate: FakeGate | None = None) -> ChatService:
    rules: Any = gate or FakeGate()
    return ChatService(text_service(engine), rules)


async def test_speakers_are_letters_and_what_comes_back_is_plain_words():
    engine = FakeTextEngine({"prompt": "a lighthouse --steps 9 <lora:x:1> @tom"})
    found = await chat(engine).prompt_of(LINES, ORIGIN)
    assert engine.asked[0].words == "A: a storm last night\nB: and the lighthouse!"
    assert (found.prompt, found.model) == ("a lighthouse steps 9 tom", "claude-haiku-5-5")


async def test_only_so_much_is_sent():
    engine = FakeTextEngine({"prompt": "a lighthouse"})
    lines = [ChatLine(speaker=str(number), words="x" * 9000) for number in range(40)]
    await chat(engine).prompt_of(lines, ORIGIN)
    sent = engine.asked[0].words.split("\n")
    assert len(sent) == MOST_LINES
    assert max(map(len, sent)) <= LINE_CHARS + len("A: ")


async def test_what_may_not_be_drawn_is_neither_sent_nor_drawn():
    engine = FakeTextEngine({"prompt": "a naked lighthouse"})
    with pytest.raises(HouseRefusal):
        await chat(engine, FakeGate("storm")).prompt_of(LINES, ORIGIN)
    assert engine.asked == []
    with pytest.raises(RequestRejected, match="wrote what is not drawn here"):
        await chat(engine, FakeGate("naked")).prompt_of(LINES, ORIGIN)


async def test_without_a_text_engine_or_words_it_is_refused():
    with pytest.raises(CapabilityError, match="No text engine"):
        await chat(None).prompt_of(LINES, ORIGIN)
    with pytest.raises(RequestRejected, match="no words"):
        await chat(FakeTextEngine({})).prompt_of([ChatLine(speaker="7", words=" ")], ORIGIN)
