"""The text engine's answers stand in the books with what pictures cost, and count in the same budgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import BaseModel

from generation.errors import BackendGone, BackendUnavailable, ContentBlocked, GenerationError
from generation.money import BudgetScope, OverBudget, PriceNotAgreed
from services.money.answers import AnswerCharges
from services.wording.asking import Purpose, TextService
from settings.text import TextSettings
from store.text_uses import TextUseStore
from store.words import WordStore
from tests.paid import PaidBackend
from tests.services.money.rig import ANN, MIA, Counter, counter
from tests.services.wording.rig import FakeTextEngine
from text_engines.base import TextQuestion, TokensUsed


class WordForm(BaseModel):
    """One text."""

    text: str


QUESTION = TextQuestion(task="Say it.", words="fox", form=WordForm)
ESTIMATE_USD = 0.000257  # 500 tokens that come out, and what these few words are


class CountingEngine(FakeTextEngine):
    """Counts `used`; nothing where that is None."""

    used: TokensUsed | None = TokensUsed(tokens_in=1000, tokens_out=1000)

    async def ask(self, question: TextQuestion[Any], count: Any) -> Any:
        return await super().ask(question, lambda __: count(self.used) if self.used else None)


@dataclass
class Desk:
    """A queue with budgets, and a text engine."""

    counter: Counter
    engine: CountingEngine
    text: TextService
    till: AnswerCharges

    async def ask(self, origin: Any = MIA, purpose: Purpose = Purpose.ENHANCE) -> str:
        return (await self.text.ask(QUESTION, origin, purpose)).text

    async def charges(self) -> list[tuple[str, float]]:
        return [row for name, row in (await self.counter.rows()).items() if name.startswith("answer-")]


@asynccontextmanager
async def desk(says: Any = None, *, text: dict[str, Any] | None = None, **money: float) -> AsyncIterator[Desk]:
    async with counter(PaidBackend(usd=0.04), **money) as rig:
        engine = CountingEngine(says or {"text": "a fox"})
        uses = TextUseStore(rig.rig.database)  # type: ignore[arg-type]
        settings = TextSettings().changed(concurrency=64, **(text or {}))
        service = TextService(engine, settings=settings, uses=uses, clock=rig.rig.clock)
        service.till = till = AnswerCharges(rig.budgets)
        yield Desk(counter=rig, engine=engine, text=service, till=till)


async def test_an_answer_counts_in_the_same_books_and_budgets_as_a_picture() -> None:
    async with desk(person_usd=1) as rig:
        await rig.ask()
        await rig.counter.ask()
        await rig.counter.settle()
        entries = await rig.counter.charges.books("2020-01-01", user_key=MIA.user_key, limit=9)
        assert [(entry.lane, entry.text_model, round(entry.cost_usd, 6), entry.jobs) for entry in entries] == [
            ("paid", "", 0.04, 1),
            ("text:claude-haiku-5-5", "claude-haiku-5-5", 0.0006, 1),
        ]
        assert (await rig.counter.budget()).used_usd == pytest.approx(0.0406)
        assert (await rig.counter.charges.totals()).paid == pytest.approx(0.0406)


@pytest.mark.parametrize("scope", [BudgetScope.PERSON, BudgetScope.SERVER, BudgetScope.EVERYBODY])
async def test_no_question_is_asked_that_a_budget_has_no_money_for(scope: BudgetScope) -> None:
    name = {"person": "person_usd", "server": "server_usd", "everybody": "everybody_usd"}[scope.value]
    async with desk(**{name: 0.0002}) as rig:
        with pytest.raises(OverBudget, match="Daily budget exceeded"):
            await rig.ask()
        assert rig.engine.asked == []
        assert await rig.charges() == []


async def test_questions_at_the_same_moment_never_spend_a_budget_together() -> None:
    async with desk(everybody_usd=ESTIMATE_USD * 3.5) as rig:
        rig.engine.gate.clear()
        people = [replace(ANN, user_id=str(number)) for number in range(10)]
        asked = [asyncio.create_task(rig.ask(person)) for person in people]
        while sum(task.done() for task in asked) + len(rig.engine.asked) < len(asked):
            await asyncio.sleep(0)
        assert len(rig.engine.asked) == 3
        assert (await rig.counter.budget(BudgetScope.EVERYBODY)).used_usd == pytest.approx(3 * ESTIMATE_USD, rel=0.05)
        rig.engine.gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, OverBudget) for answer in answers) == 7


@pytest.mark.parametrize(
    ("error", "used", "state", "usd"),
    [
        (ContentBlocked("no"), TokensUsed(tokens_in=1000, tokens_out=1000), "paid", 0.0006),
        (BackendGone("away"), None, "refunded", 0.0),
        (BackendUnavailable("late", may_have_run=True), None, "unsure", ESTIMATE_USD),
        (None, None, "paid", ESTIMATE_USD),
    ],
)
async def test_a_question_that_fails_costs_what_was_charged_or_may_have_been(
    error: GenerationError | None, used: TokensUsed | None, state: str, usd: float
) -> None:
    async with desk(error) as rig:
        rig.engine.used = used
        if error:
            with pytest.raises(type(error)):
                await rig.ask()
        else:
            await rig.ask()
        ((found, spent),) = await rig.charges()
        assert (found, spent) == (state, pytest.approx(usd, rel=0.05))


async def test_who_waits_no_longer_may_have_been_charged() -> None:
    async with desk() as rig:
        rig.engine.gate.clear()
        task = asyncio.create_task(rig.ask())
        while not rig.engine.asked:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [state for state, __ in await rig.charges()] == ["unsure"]


async def test_what_was_asked_when_easel_stopped_may_have_been_charged() -> None:
    async with desk() as rig:
        await rig.till.reserve(MIA, "claude-haiku-5-5", 0.01)
        await rig.till.settle_left()
        assert await rig.charges() == [("unsure", 0.01)]


async def test_a_model_without_a_price_costs_what_its_server_says_and_is_known_the_next_time() -> None:
    async with desk(person_usd=0.05) as rig:
        rig.engine.model = "google/gemma"
        rig.engine.used = TokensUsed(tokens_in=10, tokens_out=10, usd=0.03)
        await rig.ask()
        assert await rig.charges() == [("paid", 0.03)]
        with pytest.raises(OverBudget):
            await rig.ask()


async def test_a_model_of_your_own_costs_nothing_and_is_in_no_books() -> None:
    async with desk(person_usd=0.0001) as rig:
        rig.engine.model = "gemma4:e4b"
        await rig.ask()
        assert rig.text.price(Purpose.ENHANCE) == 0
        assert await rig.charges() == []


async def test_the_owner_may_say_what_a_model_costs() -> None:
    async with desk(text={"usd_in": 1.0, "usd_out": 2.0}) as rig:
        rig.engine.model = "somebodys-model"
        assert rig.text.price(Purpose.ENHANCE) == pytest.approx(0.0013)
        await rig.ask()
        assert await rig.charges() == [("paid", 0.003)]


async def test_a_price_that_is_agreed_to_holds_for_answers_too() -> None:
    async with desk() as rig:
        with pytest.raises(PriceNotAgreed):
            await rig.ask(replace(MIA, agreed_usd=0.0001))
        assert rig.engine.asked == []


async def test_pictures_cost_more_to_look_at_and_the_price_is_known_before() -> None:
    async with desk() as rig:
        assert 0 < rig.text.price(Purpose.ENHANCE) < rig.text.price(Purpose.DESCRIBE)


async def test_who_is_forgotten_is_not_in_the_books_of_answers() -> None:
    async with desk() as rig:
        await rig.ask()
        await WordStore(rig.counter.rig.database).forget_person(MIA.user_key, "somebody")  # type: ignore[arg-type]
        (entry,) = await rig.counter.charges.books("2020-01-01", limit=9)
        assert MIA.user_id not in entry.user_key
        assert entry.text_model == "claude-haiku-5-5"
