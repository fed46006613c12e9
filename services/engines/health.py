"""Notices by itself when an engine is back, and says what its owner should look at while it is down.

An engine that is down is asked again and again with growing pauses, at most a minute: a restarted GPU box is in use
again soon. Source of the least pause: A1111 may die of requests that come while it boots (its contract page).
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.errors import BackendError
from lazy import dataclass
from services.engines.connections import Diagnosis
from texts.text import _
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

HEALTHY_S: Final = 300.0  # an engine that works is asked now and then, so that what people see is about true
DOWN_S: Final = 6.0
MAX_DOWN_S: Final = 60.0
LEAST_S: Final = 5.0
JITTER: Final = 0.25  # engines that went down together are not asked together
CALM_S: Final = 120.0  # one that fails its jobs but answers probes starts again only after this

CHECKS: Final = {
    "running": _("Is it running? A pod that was stopped, or is still booting, does not answer."),
    "api": _("Was it started with `--api`?"),
    "listen": _("Was it started with `--listen`, so that others than its own machine reach it?"),
    "url": _(
        "Is the address right? `https://`, the port in it (RunPod: `…-7860.proxy.runpod.net`), nothing behind it."
    ),
    "firewall": _("Does a firewall, or the provider's list of open ports, let it through?"),
}
_LIKELIEST: Final = {
    "address": ("url", "running", "listen", "firewall", "api"),
    "dns": ("url", "running", "listen", "firewall", "api"),
    "connect": ("running", "listen", "firewall", "url", "api"),
    "tls": ("url", "running", "firewall", "listen", "api"),
    "http": ("running", "api", "url", "listen", "firewall"),
    "auth": ("url", "running", "api", "listen", "firewall"),
    "api": ("api", "url", "running", "listen", "firewall"),
    "product": ("url", "api", "running", "listen", "firewall"),
}


def checks_for(diagnosis: Diagnosis) -> list[str]:
    """List what to look at when a connection failed, the likeliest first; for its owner only."""
    order = _LIKELIEST[diagnosis.layer] if diagnosis.steps else tuple(CHECKS)
    return [CHECKS[name] for name in order]


@dataclass
class _Watched:
    """The state of one engine's probes. `seen`: the check and error that `due_at` was reckoned from."""

    seen: tuple[float, BackendError | None]
    due_at: float
    strikes: int = 0
    failed_at: float = float("-inf")


class HealthWatch:
    """Run it as one task. Probes go through the registry, which tells the queue."""

    def __init__(self, registry: BackendRegistry, clock: Clock, *, chance: Callable[[], float] = random.random) -> None:
        self._registry = registry
        self._clock = clock
        self._chance = chance  # 0..1
        self._watched: dict[str, _Watched] = {}
        self._bell = asyncio.Event()
        registry.on_change.append(lambda __: self._bell.set())

    async def run(self) -> None:
        """Ask all engines once, then what is due, until cancelled."""
        await self._registry.refresh_all()
        while True:
            self._bell.clear()
            now = self._clock.monotonic()
            waits = {entry.name: self._due_at(entry, now) - now for entry in self._registry if not entry.is_fallback}
            self._watched = {name: self._watched[name] for name in waits}
            if late := [name for name, wait_s in waits.items() if wait_s <= 0]:
                await asyncio.gather(*(self._registry.refresh(name) for name in late))
            else:
                await sleep_until(self._bell, self._clock, min(waits.values(), default=float("inf")))

    def _due_at(self, entry: Entry, now: float) -> float:
        seen = (entry.checked_at, entry.error)
        watched = self._watched.get(entry.name)
        if watched is None or watched.seen != seen:
            watched = self._watched[entry.name] = self._judged(entry, watched, now)
        return watched.due_at

    def _judged(self, entry: Entry, before: _Watched | None, now: float) -> _Watched:
        """Take in a new check, or what jobs found out in between."""
        seen = (entry.checked_at, entry.error)
        strikes = before.strikes if before else 0
        failed_at = before.failed_at if before else float("-inf")
        if entry.error is not None:
            wait_s = self._spread(min(MAX_DOWN_S, DOWN_S * 2**strikes))
            return _Watched(seen=seen, due_at=now + wait_s, strikes=min(strikes + 1, 10), failed_at=now)
        if now - failed_at > CALM_S:
            strikes = 0
        wait_s = HEALTHY_S if entry.capabilities else DOWN_S  # whoever adds an engine asks it
        return _Watched(seen=seen, due_at=now + self._spread(wait_s), strikes=strikes, failed_at=failed_at)

    def _spread(self, wait_s: float) -> float:
        return max(LEAST_S, wait_s * (1 - JITTER * self._chance()))
