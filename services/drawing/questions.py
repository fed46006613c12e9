"""Before many pictures are drawn for one message: how many, and what they cost, for a second word of consent."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from generation.errors import GenerationError, NotAllowed, RequestRejected
from generation.job import Origin
from generation.order import Order
from generation.person import Person
from lazy import dataclass
from services.drawing.generation import GenerationService
from store.questions import Question as Question
from store.questions import QuestionStore
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

MOST_UNASKED: Final = 4  # pictures for the choices in braces that are drawn at once
AGREED_FOR: Final = timedelta(minutes=15)  # so long a price that was shown holds
ESTIMATE_S: Final = 1.5  # Discord waits 3 s for an answer


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of all pictures together. `usd` is None where it is not known or nothing is charged."""

    pictures: int
    usd: float | None = None


class QuestionService:
    """Keeps what waits for an answer; durable, so the buttons work after a restart."""

    def __init__(self, *, store: QuestionStore, generation: GenerationService, clock: Clock) -> None:
        self._store = store
        self._generation = generation
        self._clock = clock

    @staticmethod
    def needs_asking(order: Order) -> bool:
        """Return whether an order stands for more than people may expect: choices in braces multiply."""
        return bool(order.others) and order.pictures > MOST_UNASKED

    async def ask(self, question_id: str, order: Order, origin: Origin) -> Cost:
        """Keep an order until it is confirmed; return what it comes to.

        Raises:
            StoreUnavailable: the file cannot be written.
        """
        cost = Cost(pictures=order.pictures, usd=await self._price(order, origin))
        await self.keep(question_id, replace(order, agreed_usd=cost.usd or 0.0), origin)
        return cost

    async def keep(self, question_id: str, order: Order, origin: Origin) -> None:
        """Keep an order until it is confirmed.

        Raises:
            StoreUnavailable: the file cannot be written.
        """
        question = Question(id=question_id, user_key=origin.user_key, order=order, is_private=origin.private)
        await self._store.ask(question, self._clock.now())

    async def answered(self, question_id: str, person: Person) -> Question:
        """Return what somebody confirms or takes back.

        Raises:
            RequestRejected: it was answered already, or is too old.
            NotAllowed: it is somebody else's to answer.
        """
        question = await self._store.get(question_id)
        if question is None:
            raise RequestRejected(_("This has been answered already, or was asked more than a day ago."))
        if question.user_key != person.user_key:
            raise NotAllowed(_("Only who asked for these pictures can answer."))
        asked_at, now = question.asked_at, self._clock.now()
        if asked_at is not None and now - asked_at > AGREED_FOR:  # the price may be another one: it is asked again
            return replace(question, order=replace(question.order, agreed_usd=0.0))
        return question

    async def close(self, question: Question) -> None:
        await self._store.drop(question.id)

    async def _price(self, order: Order, origin: Origin) -> float | None:
        """Return what all of it costs where that is known at once; a request that cannot be drawn is refused later."""
        first, *others = order.drafts
        try:
            async with asyncio.timeout(ESTIMATE_S):
                found = await self._generation.estimate(first, origin, count=order.repeat, others=others)
        except (TimeoutError, GenerationError) as error:
            log.debug("no price to show (%s)", type(error).__name__)
            return None
        return found.cost_usd or None if found.is_paid else None
