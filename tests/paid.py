"""An engine that charges: it quotes a price, and says afterwards what it has taken."""

from dataclasses import replace
from typing import Any, Self

from backends.base import BackendConfig, ProgressCallback
from backends.registry import BackendRegistry, Entry
from generation.capabilities import Capabilities, ModelInfo
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode
from generation.result import GenerationResult
from tests.fakes import FakeBackend


class PaidBackend(FakeBackend):
    """Asks `usd` for a picture, and `costs` of it where that is another amount; None: it does not say."""

    def __init__(
        self,
        name: str = "paid",
        *,
        usd: float | None = 0.04,
        costs: float | None = None,
        models: dict[str, float] | None = None,
        **more: Any,
    ) -> None:
        names = tuple(ModelInfo(name=model, title=model) for model in models or {})
        known = Capabilities(modes=frozenset(Mode), models=names, samplers=("Euler", "Euler a"), schedulers=("Karras",))
        super().__init__(name, is_paid=True, **({"capabilities": known} | more))
        self.usd = usd
        self.costs = costs
        self.models = models or {}

    @classmethod
    async def opened(cls, registry: BackendRegistry, **more: Any) -> Self:
        """Return one that is an engine here: "shop", of Easel's owner."""
        shop = cls("shop", **more)
        registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=shop))
        await registry.refresh("shop")
        return shop

    async def quote(self, request: GenerationRequest) -> float | None:
        usd = self.models.get(request.model or "", self.usd)
        return None if usd is None else usd * request.batch_size

    def prices(self) -> tuple[PriceLine, ...]:
        return tuple(
            PriceLine(name=name, variant="", usd=usd, unit="picture", as_of="2026-11-29", source="a test")
            for name, usd in self.models.items()
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        result = await super().generate(request, report)
        each = self.usd if self.costs is None else self.costs
        return replace(result, cost_usd=(each or 0.0) * request.batch_size)
