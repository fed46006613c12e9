"""Choose which of ComfyUI's two APIs a server's jobs go by: v2 where it answers, the classic one where it does not.

The id of a job is the same in both: the proxy that serves v2 queues a job under the id that it gives it. So a job that
was sent by one is followed by the other when the first falls silent.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import httpx

from backends.comfyui.client import CANCEL_BY_ID, calls_to
from backends.comfyui.errors import v2_refused
from backends.comfyui.facts import read_version
from backends.comfyui.jobs.api import ApiGone, JobApi
from backends.comfyui.jobs.classic import ClassicJobs
from backends.comfyui.jobs.v2 import INTENT, V2Jobs
from generation.errors import BackendError, BackendUnavailable, UnexpectedAnswer

log = logging.getLogger(__name__)

T = TypeVar("T")


class Line:
    """One server's jobs. `has_classic`: whether it answers by the classic API, too; the last probe sets it."""

    def __init__(self, label: str, client: httpx.AsyncClient) -> None:
        self.classic = ClassicJobs(calls_to(label, client))
        self.v2 = V2Jobs(calls_to(label, client, v2_refused))
        self.has_classic = True
        self._has_v2: bool | None = None  # None: not asked yet

    async def choose(self) -> bool:
        """Ask which API there is now, and say whether it is v2."""
        was, self._has_v2 = self._has_v2, await self.v2.is_there()
        if was is not None and was is not self._has_v2:
            name = "v2" if self._has_v2 else "classic"
            log.info("jobs go by the %s API now", name, extra={"action": "api_chosen"})
        return self._has_v2

    async def settled(self) -> JobApi:
        """Return the API that jobs go by, asked for if it never was."""
        if self._has_v2 is None:
            await self.choose()
        return self.v2 if self._has_v2 or not self.has_classic else self.classic

    def give_up_v2(self) -> JobApi:
        """Go by the classic API from now on, until the next probe."""
        log.info("jobs go by the classic API now", extra={"action": "api_chosen"})
        self._has_v2 = False
        return self.classic

    async def ask(self, call: Callable[[JobApi], Awaitable[T]]) -> T:
        """Ask about a job by the API that there is; by the classic one where v2 is gone, or silent just now."""
        api = await self.settled()
        if api is self.classic:
            return await call(api)
        try:
            return await call(api)
        except ApiGone:
            if not self.has_classic:
                raise
            return await call(self.give_up_v2())
        except BackendUnavailable as error:
            if not self.has_classic:
                raise
            try:
                return await call(self.classic)
            except BackendError:
                raise error from None

    async def find(self, intent: str) -> str | None:
        """Look for a job by what it was sent with: by the API it was sent by, as long as that is there."""
        api = await self.settled()
        if intent.startswith(INTENT):
            return await self.v2.find(intent)
        try:
            return await self.classic.find(intent)
        except UnexpectedAnswer:  # no such paths: sent when there were, under the id that it has
            if api is self.classic:
                raise
        return intent if await self.v2.standing(intent) else None

    async def cancel(self, job_id: str) -> None:
        """Cancel one job: v2 says of an older ComfyUI, too, that it was done."""
        if self.has_classic and not self.classic.version:
            with suppress(BackendError):
                self.classic.version = read_version((await self.classic.server.stats()).system.comfyui_version)
        if self.has_classic and () < self.classic.version < CANCEL_BY_ID:
            await self.classic.cancel(job_id)
        else:
            await self.ask(lambda api: api.cancel(job_id))
