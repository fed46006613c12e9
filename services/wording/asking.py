"""Ask the text engine: in turn, within a time limit, with what it took in the books. It is never in the way of drawing.

Whoever asks falls back to what needs no model, and says so. After a failure nothing that nobody waits for (alt texts,
translations) is asked for a while: a dead server would hold up every picture by the time limit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from generation.errors import BackendError, BackendUnavailable, CapabilityError, GenerationError, LimitReached
from generation.job import Origin
from settings.text import TextSettings
from store.text_uses import TextUse as TextUse
from store.text_uses import TextUseStore
from text_engines.base import Form, TextEngine, TextQuestion, TokensUsed
from text_engines.costs import cost_of
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


UNASKED: Final = frozenset({Purpose.ALT, Purpose.TRANSLATE})  # nobody pressed anything for them


@dataclass(frozen=True, kw_only=True)
class TextState:
    """The text engine as `/status` shows it: its model, and its last failure if nothing worked since."""

    model: str
    error: str = ""


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
        self.before: list[Callable[[Origin, Purpose], Awaitable[None]]] = []  # may refuse, like a budget
        self.on_cost: list[Callable[[Origin, TextUse], Awaitable[None]]] = []
        self._limit_s = settings.timeout_s
        self._uses = uses
        self._clock = clock
        self._turns = asyncio.Semaphore(settings.concurrency)
        self._asking: set[str] = set()
        self._rests_until = 0.0
        self._error = ""

    @property
    def is_on(self) -> bool:
        return self.engine is not None

    @property
    def state(self) -> TextState | None:
        return TextState(model=self.engine.model, error=self._error) if self.engine else None

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

    async def totals(self) -> list[TextUse]:
        """Return all that was ever asked, by model and purpose."""
        return await self._uses.totals()

    async def aclose(self) -> None:
        if self.engine:
            await self.engine.aclose()

    async def _ask(self, engine: TextEngine, question: TextQuestion[Form], origin: Origin, purpose: Purpose) -> Form:
        model = engine.vision_model if question.picture else engine.model
        if purpose in UNASKED and self.is_resting():
            raise BackendUnavailable(_("{model} failed a moment ago and is not asked yet.", model=model))
        for check in self.before:
            await check(origin, purpose)
        counted: list[TokensUsed] = []
        began = self._clock.monotonic()
        is_answered = False
        try:
            async with asyncio.timeout(self._limit_s), self._turns:
                answer = await engine.ask(question, counted.append)
            is_answered, self._error, self._rests_until = True, "", 0.0
            return answer
        except TimeoutError as error:
            late = BackendUnavailable(
                _("{model} did not answer within {time}.", model=model, time=duration(self._limit_s))
            )
            self._failed(late)
            raise late from error
        except GenerationError as error:
            self._failed(error)
            raise
        finally:
            seconds = self._clock.monotonic() - began
            await self._note(origin, purpose, model, counted, seconds=seconds, is_answered=is_answered)

    def _failed(self, error: GenerationError) -> None:
        """Note a failure of the server's; a refusal of some words is none."""
        if isinstance(error, BackendError | CapabilityError):
            self._error = error.user_message
            self._rests_until = self._clock.monotonic() + max(REST_S, error.retry_after or 0.0)

    async def _note(
        self,
        origin: Origin,
        purpose: Purpose,
        model: str,
        counted: list[TokensUsed],
        *,
        seconds: float,
        is_answered: bool,
    ) -> None:
        use = TextUse(
            model=model,
            purpose=purpose.value,
            answered=int(is_answered),
            failed=int(not is_answered),
            tokens_in=sum(used.tokens_in for used in counted),
            tokens_out=sum(used.tokens_out for used in counted),
            cost_usd=sum(cost_of(model, used) for used in counted),
        )
        fields = {"action": "text_asked", "model": model, "purpose": purpose.value, "seconds": round(seconds, 2)}
        log.info("the text engine %s", "answered" if is_answered else "failed", extra=fields | {"cost": use.cost_usd})
        try:
            await self._uses.add(use, origin.user_key, self._clock.now())
            for listen in self.on_cost:
                await listen(origin, use)
        except GenerationError as error:  # the answer is there, and was paid for
            log.warning("an answer is not in the books", extra=fields | {"error": str(error)})


def no_text_engine() -> CapabilityError:
    """Return the refusal where nothing here writes or reads for people."""
    return CapabilityError(
        _("No text engine is connected to this Easel."),
        hint=_("Whoever runs Easel sets TEXT_ENGINE_URL or ANTHROPIC_API_KEY (docs/text-engines.md)."),
    )
