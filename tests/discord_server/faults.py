"""Faults on order: the answer a test wants instead of, before or after the real one."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

TEXTS = {
    403: (50013, "Missing Permissions"),
    404: (10008, "Unknown Message"),
    429: (0, "You are being rate limited."),
    500: (0, "500: Internal Server Error"),
    503: (0, "503: Service Unavailable"),
}


@dataclass(eq=False, kw_only=True)
class Fault:
    """A fault for requests that match.

    Attributes:
        times: how often; None is for ever.
        cut: True or "before" closes the connection with nothing done; "after" does the work and then closes it,
            so the bot cannot know.
        delay_s: waits before anything else; alone it only makes the request slow.
        late_s: waits after the work and before the answer.
        scope: of a 429: "user", "shared" or "global".
        via: False leaves the Via header out of a 429, which libraries take for a ban by Cloudflare.
    """

    method: str
    path: str
    status: int | None = None
    times: int | None = 1
    json: dict[str, Any] | None = None
    retry_after: float = 0.05
    cut: bool | str = False
    delay_s: float = 0.0
    late_s: float = 0.0
    scope: str = "user"
    via: bool = True
    hits: int = 0
    removed: bool = False

    def takes(self, method: str, path: str) -> bool:
        """Claim one request if it matches and the fault is not used up."""
        used_up = self.times is not None and self.hits >= self.times
        if self.removed or used_up or self.method not in ("*", method) or not fnmatchcase(path, self.path):
            return False
        self.hits += 1
        return True

    def remove(self) -> None:
        self.removed = True

    def answer(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, body and headers of the faulty answer."""
        status = self.status or 500
        code, message = TEXTS.get(status, (0, f"{status}: Error"))
        body: dict[str, Any] = {"message": message, "code": code}
        headers: dict[str, str] = {}
        if status == 429:
            is_global = self.scope == "global"
            body = {"message": message, "retry_after": self.retry_after, "global": is_global}
            remaining = "1" if self.scope == "shared" else "0"
            headers = {
                "Retry-After": f"{self.retry_after:.3f}",
                "X-RateLimit-Scope": self.scope,
                "X-RateLimit-Limit": "5",
                "X-RateLimit-Remaining": remaining,
                "X-RateLimit-Reset-After": f"{self.retry_after:.3f}",
                "X-RateLimit-Bucket": "fault",
            }
            if is_global:
                headers["X-RateLimit-Global"] = "true"
        return status, self.json or body, headers
