"""The state of the message bus: written by its door, shown by the others."""

from collections.abc import Awaitable, Callable

from lazy import dataclass


@dataclass(frozen=True, kw_only=True)
class BusFigures:
    """Figures of the bus: a server answers, and so many finished jobs it is still to be told of."""

    is_up: bool
    untold: int


@dataclass
class BusState:
    """The one value of a process; without a bus nothing is set."""

    is_up: Callable[[], bool] | None = None
    untold: Callable[[], Awaitable[int]] | None = None

    async def figures(self) -> BusFigures | None:
        """Return how it is now, None where there is no bus."""
        if self.is_up is None or self.untold is None:
            return None
        return BusFigures(is_up=self.is_up(), untold=await self.untold())
