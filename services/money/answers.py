"""The text engine's answers in the books: reserved before a question is asked, settled when it ends."""

import logging
import secrets

from generation.errors import GenerationError
from generation.job import Origin
from generation.money import TEXT_LANE, AnswerState, Charge
from services.money.budgets import BudgetService

log = logging.getLogger(__name__)


class AnswerCharges:
    """The owner's text engine counts in every budget that counts the owner's engines."""

    def __init__(self, budgets: BudgetService) -> None:
        self._budgets = budgets

    async def reserve(self, origin: Origin, model: str, usd: float) -> Charge | None:
        """Reserve the estimate; without one the dearest of the last answers, None where that is not known either.

        Raises:
            OverBudget: a budget has too little left.
            PriceNotAgreed: it costs more than was agreed to.
        """
        usd = usd or await self._budgets.dearest(f"{TEXT_LANE}{model}")
        if usd <= 0:
            return None
        charge = _charge(origin, model, usd)
        await self._budgets.reserve(charge, origin)
        return charge

    async def settle(self, charge: Charge, state: AnswerState, usd: float) -> None:
        """Note what an answer has cost; a store that fails leaves its estimate counted."""
        try:
            await self._budgets.settle(charge.job_id, state, usd)
        except GenerationError as error:
            _unsettled(error)

    async def note(self, origin: Origin, model: str, usd: float) -> None:
        """Note what an answer has cost for which nothing was reserved."""
        try:
            await self._budgets.note(_charge(origin, model, usd), origin)
        except GenerationError as error:
            _unsettled(error)

    async def settle_left(self) -> None:
        """Settle what was being asked when Easel stopped."""
        await self._budgets.settle_left()


def _charge(origin: Origin, model: str, usd: float) -> Charge:
    return Charge(
        job_id=f"answer-{secrets.token_hex(12)}",
        user_key=origin.user_key,
        guild_id="",  # the budgets know which server's rules hold
        lane=f"{TEXT_LANE}{model}",
        payer="easel",
        usd=usd,
    )


def _unsettled(error: GenerationError) -> None:
    log.warning("what an answer has cost is not in the books", extra={"action": "text_asked", "error": str(error)})
