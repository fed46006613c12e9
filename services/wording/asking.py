"""Ask the text engine: in turn, within a time limit, with what it took in the books. It is never in the way of drawing.

Whoever asks falls back to what needs no model, and says so. After a failure nothing that nobody waits for (alt texts,
translations) is asked for a while: a dead server would hold up every picture by the time limit.
"""

import asyncio
import json
import logging
from dataclasses import field
from enum import StrEnum
from typing import Any, Final, Protocol

from generation.errors import BackendError, BackendUnavailable, CapabilityError, GenerationError, LimitReached
from generation.job import Origin
from generation.money import AnswerState, Charge
from lazy import dataclass
from settings.text import TextSettings
from store.text_uses import TextUse as TextUse
from store.text_uses import TextUseStore
from text_engines.base import Form, TextEngine, TextQuestion, TokensUsed
from text_engines.costs import TextPrices
from text_engines.forms import schema_of
from texts.text import _
from utils.clock import Clock
from utils.text import duration

log = logging.getLogger(__name__)

REST_S: Final = 60.0  # after a failure, for what nobody waits for
NOBODY: Final = "-"


class Purpose(StrEnum):
    """The purpose of a question, as the books and the figures name it."""

    ENHANCE = "enhance"
    DESCRIBE = "describe"
    ALT = "alt"
    TRANSLATE = "translate"
    MIX = "mix"
    CHAT = "chat"
    FULLER = "fuller"
    REPLY = "reply"


SEEING: Final = frozenset({Purpose.DESCRIBE, Purpose.ALT})
UNASKED: Final = frozenset(
    {Purpose.ALT, Purpose.TRANSLATE, Purpose.FULLER, Purpose.REPLY}
)  # nobody pressed anything for them


@dataclass(frozen=True, kw_only=True)
class TextState:
    """The text engine as `/status` shows it: its model, and its last failure if nothing worked since."""

    model: str
    error: str = ""


class Till(Protocol):
    """The books of what answers cost, and the budgets that may refuse one."""

    async def reserve(self, origin: Origin, model: str, usd: float) -> Charge | None: ...

    async def settle(self, charge: Charge, state: AnswerState, usd: float) -> None: ...

    async def note(self, origin: Origin, model: str, usd: float) -> None: ...


@dataclass(kw_only=True)
class _Question:
    """One question on its way, for the books."""

    origin: Origin
    purpose: Purpose
    model: str
    charge: Charge | None = None
    counted: list[TokensUsed] = field(default_factory=list)
    is_answered: bool = False
    may_have_run: bool = False


class TextService:
    """The one way to the text engine.

    Args:
        engine: None where none is set.
        settings: how long an answer may take, and how many are asked for at the same time.
        uses: the books.
        clock: moved by tests.
    """

    def __init__(self, engine: TextEngine | None, *, settings: TextSettings, uses: TextUseStore, clock: Clock) -> None:
        self.engine = engine
        self.till: Till | None = None  # without one nothing is charged
        self._prices = TextPrices(usd_in=settings.usd_in, usd_out=settings.usd_out)
        self._uses = uses
        self._clock = clock
        self._limit_s, self._turns = settings.timeout_s, asyncio.Semaphore(settings.concurrency)
        self._replaced: list[TextEngine] = []  # an answer may still come from them
        self._asking: set[str] = set()
        self._rests_until = 0.0
        self._error = ""

    @property
    def is_on(self) -> bool:
        return self.engine is not None

    @property
    def state(self) -> TextState | None:
        return TextState(model=self.engine.model, error=self._error) if self.engine else None

    def price(self, purpose: Purpose) -> float:
        """Return what an answer costs, about, for the button that asks for one; 0: nothing, or nothing known."""
        engine = self.engine
        if engine is None:
            return 0.0
        has_picture = purpose in SEEING
        model = engine.vision_model if has_picture else engine.model
        return self._prices.estimate(model, has_picture=has_picture)

    def is_resting(self) -> bool:
        """Return whether it failed a moment ago, so that nothing is asked that nobody waits for."""
        return self._clock.monotonic() < self._rests_until

    async def ask(self, question: TextQuestion[Form], origin: Origin, purpose: Purpose) -> Form:
        """Return the answer to a question of somebody's.

        Raises:
            CapabilityError: no text engine is set.
            LimitReached: this person waits for another answer.
            GenerationError: it fails, refuses, or may not be asked.
        """
        engine = self.engine
        if engine is None:
            raise no_text_engine()
        if purpose in UNASKED:
            return await self._ask(engine, question, origin, purpose)
        if origin.user_key in self._asking:
            raise LimitReached(_("One at a time: you are still waiting for another answer of the text engine."))
        self._asking.add(origin.user_key)
        try:
            return await self._ask(engine, question, origin, purpose)
        finally:
            self._asking.discard(origin.user_key)

    def use(self, engine: TextEngine | None, settings: TextSettings) -> None:
        """Ask this one from now on; who waits for the one before still has its answer."""
        if self.engine is not None:
            self._replaced.append(self.engine)
        self.engine, self._error, self._rests_until = engine, "", 0.0
        self._limit_s, self._turns = settings.timeout_s, asyncio.Semaphore(settings.concurrency)
        self._prices = TextPrices(usd_in=settings.usd_in, usd_out=settings.usd_out)

    async def totals(self) -> list[TextUse]:
        """Return all that was ever asked, by model and purpose."""
        return await self._uses.totals()

    async def aclose(self) -> None:
        for engine in (*self._replaced, self.engine):
            if engine is not None:
                await engine.aclose()

    async def _ask(self, engine: TextEngine, question: TextQuestion[Form], origin: Origin, purpose: Purpose) -> Form:
        model = engine.vision_model if question.picture else engine.model
        if purpose in UNASKED and self.is_resting():
            raise BackendUnavailable(_("{model} failed a moment ago and is not asked yet.", model=model))
        asked = _Question(origin=origin, purpose=purpose, model=model)
        if self.till is not None:
            asked.charge = await self.till.reserve(origin, model, self._estimate(model, question))
        began = self._clock.monotonic()
        try:
            return await self._in_turn(engine, question, asked)
        except TimeoutError as error:
            late = BackendUnavailable(
                _("{model} did not answer within {time}.", model=model, time=duration(self._limit_s))
            )
            self._failed(late)
            raise late from error
        except GenerationError as error:
            asked.may_have_run = isinstance(error, BackendError) and error.may_have_run
            self._failed(error)
            raise
        finally:
            await self._note(asked, seconds=self._clock.monotonic() - began)

    async def _in_turn(self, engine: TextEngine, question: TextQuestion[Form], asked: _Question) -> Form:
        async with asyncio.timeout(self._limit_s), self._turns:
            asked.may_have_run = True  # until it is known, also where it is given up
            answer = await engine.ask(question, asked.counted.append)
        asked.is_answered, self._error, self._rests_until = True, "", 0.0
        return answer

    def _estimate(self, model: str, question: TextQuestion[Any]) -> float:
        chars = len(question.task) + len(question.words) + len(json.dumps(schema_of(question.form)))
        return self._prices.estimate(model, chars=chars, has_picture=question.picture is not None)

    def _failed(self, error: GenerationError) -> None:
        """Note a failure of the server's; a refusal of some words is none."""
        if isinstance(error, BackendError | CapabilityError):
            self._error = error.user_message
            self._rests_until = self._clock.monotonic() + max(REST_S, error.retry_after or 0.0)

    async def _note(self, asked: _Question, *, seconds: float) -> None:
        counted = asked.counted
        use = TextUse(
            model=asked.model,
            purpose=asked.purpose.value,
            answered=int(asked.is_answered),
            failed=int(not asked.is_answered),
            tokens_in=sum(used.tokens_in for used in counted),
            tokens_out=sum(used.tokens_out for used in counted),
            cost_usd=sum(self._prices.cost(asked.model, used) for used in counted),
        )
        about = {"action": "text_asked", "model": asked.model, "purpose": use.purpose, "seconds": round(seconds, 2)}
        log.info(
            "the text engine %s", "answered" if asked.is_answered else "failed", extra=about | {"cost": use.cost_usd}
        )
        await self._settle(asked, use.cost_usd)
        try:
            await self._uses.add(use, asked.origin.user_key, self._clock.now())
        except GenerationError as error:  # the answer is there, and was paid for
            log.warning("an answer is not in the books", extra=about | {"error": str(error)})

    async def _settle(self, asked: _Question, usd: float) -> None:
        """Put what it has cost in the place of what was reserved: the server's count, or what may have been charged."""
        if self.till is None:
            return
        if asked.charge is None:
            if usd:  # only the server knows its price
                await self.till.note(asked.origin, asked.model, usd)
        elif asked.counted:
            await self.till.settle(asked.charge, "paid", usd)
        elif asked.is_answered:  # it does not count
            await self.till.settle(asked.charge, "paid", asked.charge.usd)
        elif asked.may_have_run:
            await self.till.settle(asked.charge, "unsure", asked.charge.usd)
        else:
            await self.till.settle(asked.charge, "refunded", 0.0)


def no_text_engine() -> CapabilityError:
    """Return the refusal where nothing here writes or reads for people."""
    return CapabilityError(
        _("No text engine is connected to this Easel."),
        hint=_("Whoever runs Easel sets TEXT_ENGINE_URL or ANTHROPIC_API_KEY (docs/text-engines.md)."),
    )
