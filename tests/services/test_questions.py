"""The question before many pictures: when it is asked, and what it says they cost."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from generation.errors import BackendUnavailable
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.request import Draft
from services.drawing.questions import QuestionService
from store.database import Database
from store.questions import QuestionStore
from tests.store.ready import open_database
from utils.clock import SystemClock

ORIGIN = Origin(door="discord", user_id="7", user_name="mia")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


def order(count: int, repeat: int = 1) -> Order:
    drafts = tuple(Draft(prompt=str(number)) for number in range(count))
    return Order(kind=OrderKind.DRAW, draft=drafts[0], others=drafts[1:], repeat=repeat)


def service(database: Database, *answers: Any) -> QuestionService:
    left = [*answers]

    async def estimate(draft: Draft, origin: Origin, *, count: int, others: list[Draft]) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        usd = None if answer.cost_usd is None else answer.cost_usd * count * len([draft, *others])
        return SimpleNamespace(is_paid=answer.is_paid, cost_usd=usd)

    generation: Any = SimpleNamespace(estimate=estimate)
    return QuestionService(store=QuestionStore(database), generation=generation, clock=SystemClock())


def test_only_what_multiplies_beyond_four_is_asked_about() -> None:
    asks = QuestionService.needs_asking
    assert [asks(order(count)) for count in (1, 2, 4, 5)] == [False, False, False, True]
    assert asks(order(2, repeat=3))
    assert not asks(order(1, repeat=10))


async def test_the_price_of_all_is_named_where_it_is_known(database: Database) -> None:
    paid = SimpleNamespace(is_paid=True, cost_usd=0.04)
    cost = await service(database, paid).ask("1", order(5, repeat=2), ORIGIN)
    assert (cost.pictures, round(cost.usd or 0, 2)) == (10, 0.4)


async def test_no_price_is_named_where_none_is_charged_or_known(database: Database) -> None:
    for answer in (
        SimpleNamespace(is_paid=False, cost_usd=None),
        SimpleNamespace(is_paid=True, cost_usd=None),
        BackendUnavailable("gpu is away"),
    ):
        assert (await service(database, answer).ask("1", order(5), ORIGIN)).usd is None
