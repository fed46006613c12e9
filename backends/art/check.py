"""The network that looks at finished pictures, in a process of its own, so that no upscaling holds it up."""

import logging
from typing import Final

from backends.child import Child, ChildFailed

log = logging.getLogger(__name__)

CHILD: Final = "backends.art.work.hand"
PATIENCE_S: Final = 60.0  # for a frame; a tenth of a second is usual
IDLE_S: Final = 300.0


class NetworkCheck:
    """Tells how likely a picture is not safe for work. `child` does the work."""

    def __init__(self, *, threads: int = 0, child: Child | None = None) -> None:
        self._threads = threads
        self._child = child or Child(CHILD, idle_s=IDLE_S, patience_s=PATIENCE_S)

    async def score(self, data: bytes) -> float | None:
        """Return 0 (harmless) to 1 (not safe for work); None where the file cannot be looked at here."""
        try:
            answer = await self._child.ask({"do": "score", "threads": self._threads}, (data,))
        except ChildFailed as failed:
            fields = {"action": "picture_unchecked", "failure": str(failed.failure)}
            log.warning("a picture could not be checked: %s", failed, extra=fields)
            return None
        return float(answer.values["score"])

    async def aclose(self) -> None:
        await self._child.aclose()
