"""The way to an engine: the share of a job that is not the engine's own, learned from the engine's own jobs."""

from collections import deque
from statistics import median
from typing import Final

from scheduling.pace import Pace

KEPT: Final = 5  # the newest jobs, of which the middle one counts: one that loaded something tells nothing of the way
MOST_S: Final = 5.0


class EngineWay:
    """Seconds that a request, and the news of its end, are under way.

    A job that found its engine idle takes these besides its drawing. One that was sent ahead does not: it was there
    when the one before it ended. The difference is the way, whatever it consists of.
    """

    def __init__(self) -> None:
        self._idle: deque[tuple[str | None, float, float]] = deque(maxlen=KEPT)  # model, cost, seconds

    def learn(self, model: str | None, cost: float, seconds: float) -> None:
        """Take in a job that found its engine idle."""
        self._idle.append((model, cost, seconds))

    def seconds(self, pace: Pace) -> float:
        """Return how long the way is, by the pace of jobs that were sent ahead; 0 while nothing is known."""
        if not self._idle:
            return 0.0
        middle = median(seconds - pace.seconds(model, cost) for model, cost, seconds in self._idle)
        return min(MOST_S, max(0.0, middle))
