"""Tell other programs by HTTP POST what became of a job: the owner's own address hears of all, others of one job.

What is to be told is committed before it is sent, so a crash delays it and loses nothing. docs/webhooks.md shows the
body and how its signature is checked.
"""

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from backends.outbound import check_outbound, post_json
from generation.errors import BackendUnavailable, RequestRejected
from generation.job import Job, JobStatus
from store.webhooks import Delivery, Hook, NewDelivery, WebhookStore
from utils.clock import Clock, sleep_until
from utils.urls import UrlPolicy
from utils.webhook_signatures import signature_of

log = logging.getLogger(__name__)

EVENTS: Final = ("queued", "finished", "failed")
BACK_OFF_S: Final = (1.0, 5.0, 30.0, 120.0, 600.0)  # after the first failure, the second ... then given up
AT_ONCE: Final = 8
OWNERS_HOOK: Final = "settings"
MISSED_S: Final = 86400.0  # an end that nobody was told of is told after a restart, unless it is older
KEEP_S: Final = 2 * MISSED_S  # longer, so that nothing told is taken for missed
PRUNE_EVERY_S: Final = 3600.0
STORE_PAUSE_S: Final = 30.0
MAX_NOTED: Final = 10_000  # what memory holds while the store takes nothing
GONE: Final = 410  # the receiver says: never again

_EVENT_OF: Final = {
    JobStatus.QUEUED: "queued",
    JobStatus.DONE: "finished",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "failed",
    JobStatus.EXPIRED: "failed",
}

JobOf = Callable[[str], Awaitable[Job | None]]
Send = Callable[[str, bytes, Mapping[str, str], UrlPolicy], Awaitable[int]]


class WebhookService:
    """Call `start` before the queue starts, give `note` to its `on_change`, and keep `run` as one task."""

    def __init__(
        self,
        store: WebhookStore,
        clock: Clock,
        *,
        job_of: JobOf,
        policy: UrlPolicy,
        owner_url: str = "",
        secret: str = "",
        public_url: str = "",
        label_of: Callable[[str], str] = lambda lane: lane,
        send: Send = post_json,
    ) -> None:
        """Args beyond the plain ones.

        policy: where hooks of single jobs may lead; the owner's own `owner_url` may lead anywhere.
        secret: signs what is sent; empty sends no signature.
        public_url: goes in front of the addresses of pictures.
        """
        self._store = store
        self._clock = clock
        self._job_of = job_of
        self._policy = policy
        self._owner_policy = UrlPolicy(allow_private=True, allow_insecure_http=True)
        self._owner_url = owner_url
        self._secret = secret
        self._public_url = public_url.rstrip("/")
        self._label_of = label_of
        self._send_json = send
        self._hooked: set[str] = set()  # ids of jobs; "" stands for every job
        self._noted: deque[tuple[Job, str]] = deque()
        self._bell = asyncio.Event()
        self._pruned_at = float("-inf")

    async def start(self) -> None:
        """Take up the settings and what the last process left."""
        if self._owner_url:
            now, events = self._clock.now(), frozenset(EVENTS)
            hook = Hook(id=OWNERS_HOOK, url=self._owner_url, events=events, created_at=now)
            await self._store.save_hook(hook)
        else:
            await self._store.drop_hook(OWNERS_HOOK)
        self._hooked = await self._store.hooked_jobs()
        if self._hooked:
            for job_id in await self._store.missed(self._clock.now() - timedelta(seconds=MISSED_S)):
                if job := await self._job_of(job_id):
                    self.note(job)

    def note(self, job: Job) -> None:
        """Take in a change of a job; never waits."""
        event = _EVENT_OF.get(job.status)
        if event and not self._hooked.isdisjoint({"", job.id}) and len(self._noted) < MAX_NOTED:
            self._noted.append((job, event))
            self._bell.set()
            if job.is_terminal:
                self._hooked.discard(job.id)

    def check(self, url: str, events: Iterable[str] = ()) -> frozenset[str]:
        """Return the events that are wanted (all if none is named); call it before a job is submitted.

        Raises:
            RequestRejected: the address may not be used, or there is no such event.
        """
        check_outbound(url, policy=self._policy, field="webhook")
        wanted = frozenset(events) or frozenset(EVENTS)
        if unknown := wanted - {*EVENTS}:
            raise RequestRejected(
                f"There is no event “{min(unknown)}”. There is: {', '.join(EVENTS)}.", field="webhook_events_filter"
            )
        return wanted

    async def attach(self, job_id: str, url: str, events: Iterable[str] = ()) -> None:
        """Tell `url` of this job, also of what has happened to it already.

        Raises:
            RequestRejected: see `check`.
        """
        wanted = self.check(url, events)
        hook = Hook(id=secrets.token_hex(8), job_id=job_id, url=url, events=wanted, created_at=self._clock.now())
        await self._store.save_hook(hook)
        self._hooked.add(job_id)
        if job := await self._job_of(job_id):
            self._noted.append((job, "queued"))
            self._bell.set()
            if job.is_terminal:
                self.note(job)

    async def tell_owner(self, event: str, values: Mapping[str, Any]) -> None:
        """Tell the owner's address, if there is one, of something that is about no job. Tried once, kept nowhere."""
        if not self._owner_url:
            return
        delivery_id = secrets.token_hex(8)
        told = {"id": delivery_id, "event": event, "created_at": _written(self._clock.now()), **values}
        try:
            status = await self._post(self._owner_url, json.dumps(told).encode(), event, delivery_id, is_owners=True)
            answer = "" if 200 <= status < 300 else f"HTTP {status}"
        except (RequestRejected, BackendUnavailable) as error:
            answer = error.user_message
        if answer:
            log.warning("webhook given up: %s", answer, extra={"action": "webhook_failed", "event": event})

    async def run(self) -> None:
        """Deliver what is due and sleep until the next is, until cancelled."""
        while True:
            self._bell.clear()
            try:
                await self._write_noted()
                await self._prune()
                wait_s = await self._deliver()
            except Exception:
                log.exception("webhooks have to wait", extra={"action": "webhook_failed"})
                wait_s = STORE_PAUSE_S
            await sleep_until(self._bell, self._clock, wait_s)

    async def _write_noted(self) -> None:
        while self._noted:
            job, event = self._noted[0]
            new = [
                NewDelivery(
                    id=(delivery_id := secrets.token_hex(8)),
                    hook_id=hook.id,
                    job_id=job.id,
                    event=event,
                    body=json.dumps(self._body(delivery_id, job, event, is_owners=not hook.job_id)),
                )
                for hook in await self._store.hooks_of(job.id)
                if event in hook.events
            ]
            await self._store.add(new, self._clock.now())
            self._noted.popleft()

    async def _deliver(self) -> float:
        """Send what is due; return the seconds until more is (inf = nothing waits)."""
        due = await self._store.due(self._clock.now(), AT_ONCE)
        for outcome in await asyncio.gather(*map(self._send, due), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        next_due = await self._store.next_due()
        return float("inf") if next_due is None else max(0.0, next_due - self._clock.now().timestamp())

    async def _send(self, delivery: Delivery) -> None:
        is_hopeless = False
        try:
            body = delivery.body.encode()
            status = await self._post(delivery.url, body, delivery.event, delivery.id, is_owners=delivery.is_owners)
            answer, is_hopeless = f"HTTP {status}", status == GONE
            if 200 <= status < 300:
                await self._store.end(delivery.id, answer)
                return
        except RequestRejected as error:  # the address is against the rules: trying again changes nothing
            answer, is_hopeless = error.user_message, True
        except BackendUnavailable as error:
            answer = error.user_message
        await self._failed(delivery, answer, is_hopeless=is_hopeless)

    async def _post(self, url: str, body: bytes, event: str, delivery_id: str, *, is_owners: bool) -> int:
        headers = {"X-Easel-Event": event, "X-Easel-Delivery": delivery_id}
        if self._secret:
            headers["X-Easel-Signature"] = signature_of(body, self._secret, self._clock.now().timestamp())
        return await self._send_json(url, body, headers, self._owner_policy if is_owners else self._policy)

    async def _failed(self, delivery: Delivery, answer: str, *, is_hopeless: bool) -> None:
        failures = delivery.failures + 1
        fields = {"action": "webhook_failed", "job": delivery.job_id, "event": delivery.event, "attempt": failures}
        if is_hopeless or failures > len(BACK_OFF_S):
            log.warning("webhook given up: %s", answer, extra=fields)
            await self._store.end(delivery.id, answer)
            return
        log.info("webhook not delivered: %s", answer, extra=fields)
        due_at = self._clock.now().timestamp() + BACK_OFF_S[failures - 1]
        await self._store.again(delivery.id, failures=failures, due_at=due_at, answer=answer)

    async def _prune(self) -> None:
        now = self._clock.monotonic()
        if now - self._pruned_at >= PRUNE_EVERY_S:
            await self._store.prune(self._clock.now() - timedelta(seconds=KEEP_S))
            self._pruned_at = now

    def _body(self, delivery_id: str, job: Job, event: str, *, is_owners: bool) -> dict[str, Any]:
        """Write an event. Of a private job the owner's hook learns neither the words nor the pictures."""
        told: dict[str, Any] = {
            "id": job.id,
            "status": str(job.status),
            "mode": str(job.request.mode),
            "engine": self._label_of(job.lane),
            "model": (job.result and job.result.model) or job.drawn.model,
            "width": job.drawn.width,
            "height": job.drawn.height,
            "steps": job.drawn.steps,
            "seed": job.drawn.seed,
            "created_at": _written(job.created_at),
            "finished_at": _written(job.finished_at),
            "error": {"code": job.error.code, "message": job.error.user_message} if job.error else None,
        }
        if job.result:
            told |= {"seconds": job.result.seconds, "cost_usd": job.result.cost_usd}
        if not (is_owners and job.origin.private):
            told |= {"prompt": job.request.prompt, "negative_prompt": job.request.negative_prompt}
            told["images"] = [
                {
                    "id": image.media_id,
                    "url": f"{self._public_url}/api/media/{image.media_id}",
                    "seed": image.seed,
                    "width": image.width,
                    "height": image.height,
                    "media_type": image.media_type,
                }
                for image in (job.result.images if job.result else ())
            ]
        return {"id": delivery_id, "event": event, "created_at": _written(self._clock.now()), "job": told}


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
