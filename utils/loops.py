"""Loops that run as long as Easel does: a loop that dies is logged, counted and started again; all end in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Final

from lazy import dataclass
from texts.text import _
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
CALM_S: Final = 60.0  # one that ran for so long starts its waits again when it dies

Run = Callable[[], Awaitable[object]]


class LoopEnded(Exception):
    """A loop that has no end has returned."""


@dataclass(frozen=True, kw_only=True)
class LoopState:
    """The state of a loop. `restarts` counts its deaths; `is_down`: it died and is not started again yet."""

    name: str
    restarts: int
    is_down: bool


@dataclass(eq=False)
class _Loop:
    name: str
    run: Run
    may_end: bool
    is_down: bool = False
    ending: asyncio.Event = field(default_factory=asyncio.Event)  # it is not started again
    task: asyncio.Task[None] | None = None


class Loops:
    """The supervised loops of one process, by name; several may share one, as parts of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loops: dict[tuple[str, str], _Loop] = {}  # by name and part
        self._restarts: dict[str, int] = {}

    def start(self, name: str, run: Run, *, part: str = "", may_end: bool = False) -> None:
        """Run a loop from now on.

        Args:
            name: for people who read the log and the figures; one that has ended may be started again.
            run: called again after each death.
            part: which of several loops of this name, each for a channel, say; it is forgotten when it has ended.
            may_end: it is over when it returns; else that is a fault, too.
        """
        before = self._loops.pop((name, part), None)
        assert before is None or before.task is None or before.task.done(), f"{name} runs already"
        self._restarts.setdefault(name, 0)
        loop = self._loops[name, part] = _Loop(name, run, may_end)
        loop.task = asyncio.create_task(self._keep_alive(loop), name=name)
        if part:
            loop.task.add_done_callback(lambda _: self._forget(name, part, loop))

    def states(self) -> list[LoopState]:
        """Return how the loops of each name are doing, in the order they were started."""
        down = {loop.name for loop in self._loops.values() if loop.is_down}
        return [LoopState(name=name, restarts=count, is_down=name in down) for name, count in self._restarts.items()]

    async def wait(self, name: str) -> None:
        """Wait until a loop that may end has done so; a cancelled waiter leaves it alone."""
        if (loop := self._loops.get((name, ""))) and loop.task:
            await asyncio.wait({loop.task})

    async def finish(self, name: str) -> None:
        """Wait for the end of a loop that was told of it in its own way; one that has died stays dead."""
        if loop := self._loops.get((name, "")):
            loop.ending.set()
            await self.wait(name)

    async def cancel(self, name: str, part: str = "") -> None:
        """Cancel a loop and wait until it has cleaned up."""
        loop = self._loops.get((name, part))
        if loop and loop.task and not loop.task.done():
            loop.ending.set()
            loop.task.cancel()
            await asyncio.wait({loop.task})

    async def close(self) -> None:
        """Cancel all, one after the other, the last one that was started first."""
        for name, part in reversed(list(self._loops)):
            await self.cancel(name, part)

    def _forget(self, name: str, part: str, loop: _Loop) -> None:
        if self._loops.get((name, part)) is loop:
            del self._loops[name, part]

    async def _keep_alive(self, loop: _Loop) -> None:
        wait_s = FIRST_WAIT_S
        while not loop.ending.is_set():
            loop.is_down = False
            began = self._clock.monotonic()
            try:
                await loop.run()
                if loop.may_end or loop.ending.is_set():
                    return
                raise LoopEnded(_("{name} has ended by itself", name=loop.name))
            except asyncio.CancelledError as error:
                if _is_cancelled():
                    raise
                fault: BaseException = error  # of something it waited for: nobody has ended the loop itself
            except Exception as error:
                fault = error
            if self._clock.monotonic() - began >= CALM_S:
                wait_s = FIRST_WAIT_S
            self._restarts[loop.name] += 1
            loop.is_down = True
            fields = {"action": "loop_died", "loop": loop.name, "again_in_s": wait_s}
            log.error("loop died", extra=fields, exc_info=fault)
            await sleep_until(loop.ending, self._clock, wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
