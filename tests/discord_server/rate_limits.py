"""Rate limit buckets with Discord's headers: fixed windows per kind of request and major id.

The numbers are those libraries see in practice; Discord does not document them. 50 requests a second for the
whole bot is documented, and that interaction endpoints do not count towards it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

PRACTICE: dict[str, tuple[int, float]] = {
    "message_create": (5, 5.0),
    "message_edit": (5, 5.0),
    "webhook": (5, 2.0),
    "reaction": (1, 0.25),
    "command_write": (5, 20.0),
    "global": (50, 1.0),
}
"""Kind -> (requests, seconds)."""
GENEROUS = (1000, 1.0)


@dataclass
class _Window:
    limit: int
    seconds: float
    ends_at: float
    used: int = 0


class RateLimits:
    """Counts requests; `take` says whether one may pass."""

    def __init__(self, table: dict[str, tuple[int, float]] | None) -> None:
        self.table = table or {}
        self._windows: dict[str, _Window] = {}

    def take(self, kind: str, major: str, now: float) -> tuple[bool, float, dict[str, str]]:
        """Spend one request.

        Returns:
            Whether it may pass, seconds until it could, and the headers of the answer.
        """
        window = self._window(kind, major, now)
        passes = window.used < window.limit
        window.used += passes
        left = max(0.0, window.ends_at - now)
        headers = {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.limit - window.used),
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(kind.encode()):08x}",
        }
        return passes, left, headers

    def _window(self, kind: str, major: str, now: float) -> _Window:
        key = f"{kind}:{major}"
        window = self._windows.get(key)
        if window is None or now >= window.ends_at:
            limit, seconds = self.table.get(kind, GENEROUS)
            window = self._windows[key] = _Window(limit, seconds, now + seconds)
        return window
