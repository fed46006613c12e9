"""Prompts translated for engines that want English; nothing fails because of it."""

from typing import Any

import pytest

from generation.errors import BackendUnavailable
from generation.request import Draft
from services.wording.translating import TranslationService
from tests.services.wording.rig import ORIGIN, EmptyTill, FakeTextEngine, text_service

GERMAN = Draft(prompt="ein roter Fuchs im Schnee", steps=12)


def translation(engine: Any, *, is_on: bool = True) -> TranslationService:
    return TranslationService(text_service(engine), is_on=is_on)


async def test_the_prompt_becomes_english_and_the_original_is_noted():
    draft, notes = await translation(FakeTextEngine({"english": "a red fox in the snow"})).translate(GERMAN, ORIGIN)
    assert draft == Draft(prompt="a red fox in the snow", steps=12)
    assert notes == ("translated from “ein roter Fuchs im Schnee”",)


async def test_the_same_words_are_translated_once():
    engine = FakeTextEngine({"english": "a red fox in the snow"})
    service = translation(engine)
    for __ in range(3):
        assert (await service.translate(GERMAN, ORIGIN))[0].prompt == "a red fox in the snow"
    assert len(engine.asked) == 1


async def test_where_it_fails_the_prompt_is_drawn_as_typed_with_the_reason():
    draft, notes = await translation(FakeTextEngine(BackendUnavailable("It is gone."))).translate(GERMAN, ORIGIN)
    assert draft == GERMAN
    assert notes == ("drawn as typed, not translated: It is gone",)


async def test_where_a_budget_has_no_money_for_it_the_prompt_is_drawn_as_typed():
    service = translation(engine := FakeTextEngine({"english": "a red fox"}))
    service._text.till = EmptyTill()
    assert (await service.translate(GERMAN, ORIGIN))[0] == GERMAN
    assert engine.asked == []


async def test_an_answer_that_says_the_same_or_nothing_changes_nothing():
    for english in ("ein roter Fuchs im Schnee", " "):
        draft, notes = await translation(FakeTextEngine({"english": english})).translate(GERMAN, ORIGIN)
        assert (draft, notes) == (GERMAN, ())


@pytest.mark.parametrize(
    ("draft", "engine", "is_on", "expected"),
    [
        (GERMAN, FakeTextEngine(), True, True),
        (GERMAN, FakeTextEngine(), False, False),
        (GERMAN, None, True, False),
        (Draft(prompt="a red fox in the snow"), FakeTextEngine(), True, False),
        (Draft(), FakeTextEngine(), True, False),
    ],
)
def test_only_other_languages_are_wanted_and_only_where_that_is_set(draft, engine, is_on, expected):
    assert translation(engine, is_on=is_on).wants(draft) is expected
