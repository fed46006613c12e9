"""A queue with engines that charge, and the budgets that hold for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from generation.caps import CapKind
from generation.job import Origin
from generation.money import Budget, BudgetScope
from generation.person import Person
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.house.rules import HouseRuleService
from services.moderation.audit import AuditService
from services.moderation.caps import CapService
from services.moderation.homes import Homes
from services.moderation.rights import Rights
from services.money.budgets import BudgetService
from settings.money import MoneySettings
from store.audit import AuditStore
from store.caps import CapStore
from store.charges import ChargeStore
from store.house import HouseStore
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

MIA = Origin(door="discord", user_id="5", guild_id="1", places=("9",), roles=("2",))
ANN = replace(MIA, user_id="6", roles=())
CHIEF = Person(user_key="discord:1", guild_id="1", is_manager=True)


class NoPictures:
    """No picture is read, kept or found here."""

    async def recall(self, *_: object) -> None:
        return None


@dataclass
class Counter:
    """A queue and its budgets."""

    rig: Rig
    service: GenerationService
    caps: CapService
    rules: HouseRuleService
    budgets: BudgetService
    charges: ChargeStore

    async def ask(self, origin: Origin = MIA, **wishes: object) -> str:
        return (await self.service.submit(Draft(prompt="a fox", **wishes), origin)).job.id  # type: ignore[arg-type]

    async def limit(self, target: str = "1", **limits: float) -> None:
        await self.caps.change(CHIEF, CapKind.ROLE, target, "Fans", limits)

    async def budget(self, scope: BudgetScope = BudgetScope.PERSON, origin: Origin = MIA) -> Budget:
        return next(budget for budget in await self.budgets.standing(origin) if budget.scope is scope)

    async def rows(self) -> dict[str, tuple[str, float]]:
        """Return the state and the dollars of each charge by its job."""
        rows = await self.rig.database.fetch("SELECT job_id, state, usd FROM charges")
        return {row["job_id"]: (row["state"], round(row["usd"], 6)) for row in rows}

    async def settle(self) -> None:
        await self.rig.settle()


@asynccontextmanager
async def counter(
    *backends: FakeBackend,
    concurrency: int = 1,
    limits: dict[str, float] | None = None,
    preferred: str = "",
    **money: float,
) -> AsyncIterator[Counter]:
    values = {"max_waiting_per_user": 1000, "max_running_per_user": 1000} | (limits or {})
    async with queue_rig(*backends, concurrency=concurrency, cooldown_s=0, **values) as rig:
        rights, homes = Rights(["7"]), Homes(["1"])
        audit = AuditService(AuditStore(rig.database), rights, rig.clock, ttl_s=86400.0)  # type: ignore[arg-type]
        caps = CapService(
            CapStore(rig.database),  # type: ignore[arg-type]
            homes=homes,
            rights=rights,
            audit=audit,
            clock=rig.clock,
        )
        rules = HouseRuleService(HouseStore(rig.database), audit=audit, rights=rights, clock=rig.clock)  # type: ignore[arg-type]
        charges = ChargeStore(rig.database)  # type: ignore[arg-type]
        budgets = BudgetService(
            charges, registry=rig.registry, caps=caps, rules=rules, settings=MoneySettings(**money), clock=rig.clock
        )
        service = GenerationService(
            queue=rig.queue, jobs=rig.jobs, registry=rig.registry, media=NoPictures(),  # type: ignore[arg-type]
            preferences=PreferenceStore(rig.database), clock=rig.clock, caps=caps, budgets=budgets, preferred=preferred,  # type: ignore[arg-type]
        )  # fmt: skip
        yield Counter(rig=rig, service=service, caps=caps, rules=rules, budgets=budgets, charges=charges)
