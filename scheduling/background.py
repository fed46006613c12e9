"""Tasks that must end before the process does, and whose faults must be seen."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Background:
    """Holds its tasks, so that none is collected in mid-run; a fault is logged even if nobody awaits the task."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(
        self, work: Coroutine[Any, Any, T], *, expects: type[Exception] | tuple[type[Exception], ...] = ()
    ) -> asyncio.Task[T]:
        """Begin `work`; what it raises of the kinds it `expects` is an answer, not a fault."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, expects=expects))
        return task

    async def finish(self) -> None:
        """Wait until nothing runs, what is begun in the meantime included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[Any], *, expects: type[Exception] | tuple[type[Exception], ...]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or isinstance(task.exception(), expects):
            return
        if error := task.exception():
            log.error("the queue failed at something", extra={"action": "job_failed"}, exc_info=error)
