"""Parts for tests of words: a text engine that says what it is told to, rules that allow all or nothing, a rig."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from generation.errors import GenerationError, HouseRefusal
from generation.job import Origin
from generation.money import OverBudget
from generation.request import Draft
from services.wording.asking import TextService
from settings.text import TextSettings
from store.text_uses import TextUse
from tests.fakes import FakeClock
from text_engines.base import Count, TextQuestion, TokensUsed

ORIGIN = Origin(door="discord", user_id="1", user_name="mia", guild_id="3")
OTHER = Origin(door="discord", user_id="2", user_name="tom", guild_id="3")


class FakeTextEngine:
    """Answers with `says`: a dict, an error, or a function of the question."""

    def __init__(self, says: Any = None) -> None:
        self.model = self.vision_model = "claude-haiku-5-5"
        self.says = says
        self.asked: list[TextQuestion[Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = self.most_at_once = 0

    async def ask(self, question: TextQuestion[Any], count: Count) -> Any:
        self.asked.append(question)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        count(TokensUsed(tokens_in=1_000_000, tokens_out=1_000_000))
        says = self.says(question) if isinstance(self.says, Callable) else self.says  # type: ignore[arg-type]
        if isinstance(says, GenerationError):
            raise says
        return question.form.model_validate(says)

    async def models(self) -> tuple[str, ...]:
        return (self.model,)

    async def aclose(self) -> None:
        """Nothing to close."""


@dataclass
class FakeBooks:
    """The books, in memory."""

    uses: list[tuple[str, TextUse]] = field(default_factory=list)
    fails_with: GenerationError | None = None

    async def add(self, use: TextUse, user_key: str, now: Any) -> None:
        if self.fails_with:
            raise self.fails_with
        self.uses.append((user_key, use))


class FakeGate:
    """Refuses what has a forbidden word, and people who are forbidden."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.bars: GenerationError | None = None

    async def let_in(self, draft: Draft, origin: Origin) -> None:
        if self.bars:
            raise self.bars

    async def trial(self, draft: Draft, origin: Origin, *, is_age_restricted: bool) -> HouseRefusal | None:
        word = next((word for word in self.words if word in draft.prompt), None)
        return HouseRefusal(f"“{word}” is not drawn here.") if word and not is_age_restricted else None


class EmptyTill:
    """Budgets that have no money for an answer."""

    async def reserve(self, *_: object) -> None:
        raise OverBudget("Daily budget exceeded: it is all used.")


def text_service(engine: Any, books: FakeBooks | None = None, **settings: Any) -> TextService:
    uses: Any = books or FakeBooks()
    return TextService(engine, settings=TextSettings().changed(**settings), uses=uses, clock=FakeClock())
