"""Budgets: what pictures may cost in a day, for everybody, a server, a person or a role.

The price of a job is reserved in the transaction that takes the job in, and checked there once more against every
budget that holds for it, so that jobs at the same moment cannot spend together what each alone might. Where the job
ends, a trigger puts what it has cost in the place of what was reserved (`store.charges`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.errors import GenerationError, LimitReached
from generation.job import Job, Origin
from generation.money import (
    PAYERS,
    ROUNDING_USD,
    Budget,
    BudgetScope,
    Charge,
    OverBudget,
    Payer,
    PriceNotAgreed,
    dollars,
    short_of,
    total_of,
)
from generation.request import GenerationRequest
from services.house.rules import HouseRuleService
from services.moderation.caps import CapService
from settings.money import MoneySettings
from store.charges import ChargeStore, OverBudgetThere
from store.database import Write
from texts.text import _
from utils.clock import Clock
from utils.text import duration

AGAIN_S: Final = 5.0
KEPT: Final = timedelta(days=2)


class BudgetService:
    """Prices jobs and holds them to the budgets. Engines that people connected for themselves are their own affair."""

    def __init__(
        self,
        store: ChargeStore,
        *,
        registry: BackendRegistry,
        caps: CapService,
        rules: HouseRuleService,
        settings: MoneySettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._registry = registry
        self._caps = caps
        self._rules = rules
        self.settings = settings
        self._clock = clock
        self.on_refused: list[Callable[[Budget, float], None]] = []  # told of a budget and what it was too small for

    async def price(self, entry: Entry, request: GenerationRequest) -> float | None:
        """Return what is reserved for a request: its estimate, else the dearest of the last pictures; None: nothing."""
        if not entry.backend.is_paid:
            return None
        usd = await self._registry.quote(entry, request)
        if usd is None:
            known = await self._store.dearest(entry.name, self._clock.now())
            usd = (self.settings.assumed_usd if known is None else known) * max(1, request.batch_size)
        return usd

    async def charge(self, job: Job, entry: Entry) -> Charge | None:
        """Return what a new job is to be charged, None where its engine charges nothing."""
        usd = await self.price(entry, job.drawn)
        if usd is None:
            return None
        house_id = job.origin.guild_id or job.origin.house_id or ""
        return Charge(
            job_id=job.id, user_key=job.user_key, guild_id=house_id, lane=entry.name, payer=payer_of(entry), usd=usd
        )

    async def admit(self, charges: Sequence[Charge], origin: Origin) -> list[Write]:
        """Return what reserves the prices of new jobs, and ends their transaction where a budget is short after all.

        Args:
            charges: of all jobs that are submitted together.
            origin: the placed one of any of them.

        Raises:
            OverBudget: a budget has too little left; says when it resets.
            PriceNotAgreed: it costs more than is drawn without asking.
        """
        if not charges:
            return []
        budgets = await self._check(charges, origin)
        await self._check_agreed(charges, origin)
        return self._writes(charges, origin, budgets)

    async def reserve(self, charge: Charge, origin: Origin) -> None:
        """Reserve what an answer of the text engine will cost; `settle` it where it ends.

        Raises:
            OverBudget: a budget has too little left.
            PriceNotAgreed: it costs more than was agreed to.
        """
        place = await self._caps.placed(origin)
        charge = replace(charge, guild_id=_place(place)["guild_id"])
        if origin.agreed_usd:
            await self._check_agreed([charge], place)
        try:
            await self._store.write(self._writes([charge], place, await self._check([charge], place)))
        except OverBudgetThere:
            raise await self.why_not([charge], place) from None

    async def note(self, charge: Charge, origin: Origin) -> None:
        """Note what an answer has cost for which nothing was reserved."""
        place = await self._caps.placed(origin)
        charge = replace(charge, guild_id=_place(place)["guild_id"])
        await self._store.write([self._store.reserving(replace(charge, usd=0.0), self._today())])
        await self.settle(charge.job_id, "paid", charge.usd)

    async def dearest(self, lane: str) -> float:
        """Return the most that one of the last answers or pictures has cost there, 0: nothing is known."""
        return await self._store.dearest(lane, self._clock.now()) or 0.0

    async def settle(self, charge_id: str, state: str, usd: float) -> None:
        """Put what an answer has cost in the place of what was reserved."""
        await self._store.settle(charge_id, state, usd, self._clock.now())

    async def settle_left(self) -> None:
        """Settle what was reserved for answers when Easel stopped."""
        await self._store.settle_left(self._clock.now())

    async def why_not(self, charges: Sequence[Charge], origin: Origin) -> GenerationError:
        """Return the refusal of jobs that a guard has ended."""
        try:
            await self._check(charges, origin)
        except OverBudget as error:
            return error
        return LimitReached(retry_after=AGAIN_S)  # something was given back in the meantime

    async def standing(self, origin: Origin) -> list[Budget]:
        """Return the budgets that hold for somebody where they are, and what is left of them."""
        return await self._budgets(await self._caps.placed(origin))

    def expected(self, entry: Entry, usd: float) -> Charge:
        """Return what something of this price would be charged, for `refusal`."""
        return Charge(job_id="", user_key="", guild_id="", lane=entry.name, payer=payer_of(entry), usd=usd)

    async def refusal(self, charges: Sequence[Charge], origin: Origin) -> OverBudget | None:
        """Return the refusal that these would meet now, None: they would meet none."""
        short = self._first_short(await self._budgets(await self._caps.placed(origin)), charges)
        return self._refusal(short, charges) if short else None

    async def placed(self, origin: Origin) -> Origin:
        """Return an origin that knows the server whose budgets hold for it."""
        return await self._caps.placed(origin)

    async def asks_above(self, origin: Origin) -> float | None:
        """Return the price above which somebody is asked first, None: they are not."""
        house_id = origin.guild_id or origin.house_id
        here = (await self._rules.load(house_id)).confirm_above_usd if house_id else 0.0
        limits = [limit for limit in (self.settings.confirm_above_usd, here) if limit > 0]
        return min(limits, default=None)

    async def prune(self) -> None:
        """Forget who is who in the budgets of days that are over."""
        await self._store.forget_keys(self._clock.now() - KEPT)

    def _writes(self, charges: Sequence[Charge], origin: Origin, budgets: Sequence[Budget]) -> list[Write]:
        day = self._today()
        guards = [
            self._store.guard(budget.scope, _place(origin), day, _adding(budget, charges), budget.most_usd)
            for budget in budgets
        ]
        return [*guards, *(self._store.reserving(charge, day) for charge in charges)]

    async def _check_agreed(self, charges: Sequence[Charge], origin: Origin) -> None:
        """Refuse what costs more than was agreed to, or, where nothing was, more than is drawn without asking."""
        usd = total_of(charge for charge in charges if charge.payer != "user")
        limit = await self.asks_above(origin)
        if origin.agreed_usd:
            if usd > origin.agreed_usd + ROUNDING_USD:
                text = _("This costs about {usd}, more than the {agreed} that were agreed to.",
                         usd=dollars(usd), agreed=dollars(origin.agreed_usd))  # fmt: skip
                raise PriceNotAgreed(text, usd=usd)
        elif limit is not None and usd > limit + ROUNDING_USD:
            text = _("This costs about {usd}, and more than {limit} is drawn only when you agree.",
                     usd=dollars(usd), limit=dollars(limit))  # fmt: skip
            raise PriceNotAgreed(text, usd=usd)

    async def _check(self, charges: Sequence[Charge], origin: Origin) -> list[Budget]:
        """Return the budgets that limit these charges.

        Raises:
            OverBudget: one of them has too little left.
        """
        budgets = [budget for budget in await self._budgets(origin) if _counts(budget, charges)]
        if short := self._first_short(budgets, charges):
            for tell in self.on_refused:
                tell(short, _adding(short, charges))
            raise self._refusal(short, charges)
        return budgets

    def _first_short(self, budgets: Sequence[Budget], charges: Sequence[Charge]) -> Budget | None:
        return next((budget for budget in budgets if not budget.takes(_adding(budget, charges))), None)

    def _refusal(self, budget: Budget, charges: Sequence[Charge]) -> OverBudget:
        wait_s = (budget.resets_at - self._clock.now()).total_seconds()
        text = short_of(budget, _adding(budget, charges), duration(wait_s))
        return OverBudget(text, budget=budget, retry_after=wait_s)

    async def _budgets(self, origin: Origin) -> list[Budget]:
        house_id, settings = origin.guild_id or origin.house_id or "", self.settings
        limits = {BudgetScope.PERSON: settings.person_usd, BudgetScope.EVERYBODY: settings.everybody_usd}
        allowed = None
        if house_id:
            limits[BudgetScope.SERVER] = settings.server_usd
            limits[BudgetScope.HOUSE] = (await self._rules.load(house_id)).budget_usd
            allowance = await self._caps.allowance(origin)
            allowed = allowance.limits.get("budget")
            limits[BudgetScope.ROLE] = allowed.most if allowed else 0.0
        whose = allowed.whose(house_id) if allowed else ""
        return [
            Budget(
                scope=scope,
                most_usd=most,
                used_usd=await self._store.used(scope, _place(origin), self._today()),
                resets_at=self._resets_at(),
                whose=whose if scope is BudgetScope.ROLE else "",
            )
            for scope, most in limits.items()
            if most > 0
        ]

    def _today(self) -> str:
        return f"{self._clock.now():%Y-%m-%d}"

    def _resets_at(self) -> datetime:
        return datetime.combine(self._clock.now().date() + timedelta(days=1), time(), UTC)


def payer_of(entry: Entry) -> Payer:
    """Return who has connected an engine, and so pays for it."""
    return "easel" if entry.owner.kind not in ("guild", "user") else entry.owner.kind  # type: ignore[return-value]


def _place(origin: Origin) -> Mapping[str, str]:
    return {"user_key": origin.user_key, "guild_id": origin.guild_id or origin.house_id or ""}


def _counts(budget: Budget, charges: Sequence[Charge]) -> bool:
    return any(charge.payer in PAYERS[budget.scope] for charge in charges)


def _adding(budget: Budget, charges: Sequence[Charge]) -> float:
    return total_of(charge for charge in charges if charge.payer in PAYERS[budget.scope])
