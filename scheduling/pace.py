"""The pace of a lane: seconds per unit of cost, learned per model from its own finished jobs."""

from collections.abc import Callable
from dataclasses import field

from constants import DEFAULT_SECONDS_PER_COST
from lazy import dataclass

LEAST_COST = 1.0  # a smaller job's time is mostly what any job takes, and would make large ones seem endless
SMOOTHING = 0.3  # the weight of the newest job once a few are known


@dataclass
class Pace:
    """Smoothed seconds per megapixel-step of one lane; an unknown model borrows the lane's overall figure."""

    by_model: dict[str, tuple[float, int]] = field(default_factory=dict)  # model -> (seconds per cost, samples)
    guess: Callable[[], float] = lambda: DEFAULT_SECONDS_PER_COST  # seconds per cost, until the first is learned
    _unsaved: set[str] = field(default_factory=set)

    def learn(self, model: str | None, cost: float, seconds: float) -> None:
        for name in {"", model or ""}:
            old, samples = self.by_model.get(name, (0.0, 0))
            share = max(SMOOTHING, 1.0 / (samples + 1))
            self.by_model[name] = (old + share * (seconds / max(cost, LEAST_COST) - old), samples + 1)
            self._unsaved.add(name)

    def forget(self, model: str | None) -> None:
        """Let the next job count alone, as if it were the first."""
        for name in {"", model or ""} & self.by_model.keys():
            self.by_model[name] = (self.by_model[name][0], 0)

    def take_unsaved(self) -> list[str]:
        """Return the models that were learned about since the last call."""
        names, self._unsaved = sorted(self._unsaved), set()
        return names

    def seconds(self, model: str | None, cost: float) -> float:
        """Expected seconds for `cost` megapixel-steps."""
        known = self.by_model.get(model or "") or self.by_model.get("")
        return cost * (known[0] if known else self.guess())

    @property
    def is_learned(self) -> bool:
        return "" in self.by_model
