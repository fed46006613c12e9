"""Ask the text engine: in turn, in time, and in the books."""

import asyncio

import pytest
from pydantic import BaseModel

from generation.errors import (
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    LimitReached,
    RateLimited,
    StoreUnavailable,
)
from generation.money import OverBudget
from services.wording.asking import REST_S, Purpose
from tests.services.wording.rig import ORIGIN, OTHER, EmptyTill, FakeBooks, FakeTextEngine, text_service
from text_engines.base import TextQuestion


class WordForm(BaseModel):
    """One text."""

    text: str


QUESTION = TextQuestion(task="Say it.", words="fox", form=WordForm)


async def test_an_answer_is_in_the_books_with_its_price():
    books = FakeBooks()
    service = text_service(FakeTextEngine({"text": "a fox"}), books)
    assert (await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)).text == "a fox"
    ((user_key, use),) = books.uses
    assert (user_key, use.purpose, use.answered, use.failed) == ("discord:1", "enhance", 1, 0)
    assert use.cost_usd == pytest.approx(0.60)


async def test_a_refused_question_is_in_the_books_too():
    books = FakeBooks()
    service = text_service(FakeTextEngine(ContentBlocked("no")), books)
    with pytest.raises(ContentBlocked):
        await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert [(use.answered, use.failed, use.cost_usd > 0) for __, use in books.uses] == [(0, 1, True)]


async def test_an_answer_is_given_even_if_it_cannot_be_booked():
    service = text_service(FakeTextEngine({"text": "a fox"}), FakeBooks(fails_with=StoreUnavailable()))
    assert (await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)).text == "a fox"


async def test_without_an_engine_the_refusal_says_what_to_set():
    with pytest.raises(CapabilityError) as refused:
        await text_service(None).ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert "ANTHROPIC_API_KEY" in refused.value.hint


async def test_an_answer_that_takes_too_long_is_given_up():
    engine = FakeTextEngine({"text": "a fox"})
    engine.gate.clear()
    service = text_service(engine)
    service._limit_s = 0.02
    with pytest.raises(BackendUnavailable) as late:
        await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert "did not answer" in late.value.user_message
    assert engine.at_once == 0
    assert service.state is not None
    assert "did not answer" in service.state.error


async def test_one_person_waits_for_one_answer_and_others_go_on():
    engine = FakeTextEngine({"text": "a fox"})
    engine.gate.clear()
    service = text_service(engine)
    first = asyncio.create_task(service.ask(QUESTION, ORIGIN, Purpose.ENHANCE))
    other = asyncio.create_task(service.ask(QUESTION, OTHER, Purpose.ENHANCE))
    while len(engine.asked) < 2:
        await asyncio.sleep(0)
    with pytest.raises(LimitReached):
        await service.ask(QUESTION, ORIGIN, Purpose.DESCRIBE)
    engine.gate.set()
    assert [(await task).text for task in (first, other)] == ["a fox", "a fox"]
    assert (await service.ask(QUESTION, ORIGIN, Purpose.DESCRIBE)).text == "a fox"


async def test_no_more_are_asked_at_once_than_is_set():
    engine = FakeTextEngine({"text": "a fox"})
    engine.gate.clear()
    service = text_service(engine, concurrency=2)
    tasks = [asyncio.create_task(service.ask(QUESTION, ORIGIN, Purpose.ALT)) for __ in range(6)]
    while len(engine.asked) < 2:
        await asyncio.sleep(0)
    engine.gate.set()
    await asyncio.gather(*tasks)
    assert engine.most_at_once == 2
    assert len(engine.asked) == 6


async def test_after_a_failure_nothing_is_asked_that_nobody_waits_for():
    engine = FakeTextEngine(BackendUnavailable("gone"))
    service = text_service(engine)
    with pytest.raises(BackendUnavailable):
        await service.ask(QUESTION, ORIGIN, Purpose.TRANSLATE)
    engine.says = {"text": "a fox"}
    with pytest.raises(BackendUnavailable):
        await service.ask(QUESTION, ORIGIN, Purpose.ALT)
    assert len(engine.asked) == 1
    await service._clock.advance(REST_S)  # type: ignore[attr-defined]
    assert (await service.ask(QUESTION, ORIGIN, Purpose.ALT)).text == "a fox"


async def test_who_waits_for_it_may_ask_at_once_again_and_its_answer_ends_the_rest():
    engine = FakeTextEngine(RateLimited("slow", retry_after=900.0))
    service = text_service(engine)
    with pytest.raises(RateLimited):
        await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert service.is_resting()
    engine.says = {"text": "a fox"}
    assert (await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)).text == "a fox"
    assert not service.is_resting()
    assert service.state is not None
    assert service.state.error == ""


async def test_a_refusal_of_some_words_is_no_failure_of_the_server():
    service = text_service(FakeTextEngine(ContentBlocked("no")))
    with pytest.raises(ContentBlocked):
        await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert not service.is_resting()


async def test_a_budget_can_refuse_before_anything_is_asked():
    engine = FakeTextEngine({"text": "a fox"})
    service = text_service(engine)

    service.till = EmptyTill()
    with pytest.raises(OverBudget):
        await service.ask(QUESTION, ORIGIN, Purpose.ENHANCE)
    assert engine.asked == []
