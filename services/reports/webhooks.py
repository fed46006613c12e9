"""Report the outcome of jobs to other programs by HTTP POST: the owner's own address hears of all, others of one job.

What is to be told is committed with the change that it tells of (`store/migrations/012_outbox.sql`); this sends it, in
the order of each job, as often as needed. docs/webhooks.md shows the body and how its signature is checked.
"""

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from generation.errors import BackendUnavailable, RequestRejected
from generation.job import Job, JobStatus, Webhook
from net.outbound import check_outbound, post_json
from settings.webhooks import WebhookSettings
from store.webhooks import Hook, WebhookDelivery, WebhookStore
from texts.text import _, english
from utils.clock import Clock, sleep_until
from utils.urls import UrlPolicy
from utils.webhook_signatures import signature_of, standard_headers

log = logging.getLogger(__name__)

EVENTS: Final = ("queued", "finished", "failed")
BACK_OFF_S: Final = (1.0, 5.0, 30.0, 120.0, 600.0)  # after the first failure, the second ... then given up
AT_ONCE: Final = 8
AT_ONCE_EACH: Final = 3  # to one receiver, so that a slow one leaves room for the others
LOOK_AT: Final = 64  # of what is due, in one go
LOOKS: Final = 8  # as often, past what piles up at slow receivers
OWNERS_HOOK: Final = "settings"
KEEP_S: Final = 86400.0  # what has been delivered, for who looks into it
MAX_WAITING: Final = 100_000  # what receivers that do not answer may pile up
PRUNE_EVERY_S: Final = 3600.0
STORE_PAUSE_S: Final = 30.0
GONE: Final = 410  # the receiver says: never again

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
        settings: WebhookSettings | None = None,
        public_url: str = "",
        label_of: Callable[[str], str] = lambda lane: lane,
        send: Send = post_json,
    ) -> None:
        """Args beyond the plain ones.

        policy: where hooks of single jobs may lead; the owner's own may lead anywhere.
        settings: without a secret there is no signature.
        public_url: goes in front of the addresses of pictures.
        """
        self._store = store
        self._clock = clock
        self._job_of = job_of
        self._policy = policy
        self._owner_policy = UrlPolicy(allow_private=True, allow_insecure_http=True)
        self._settings = settings or WebhookSettings()
        self._public_url = public_url.rstrip("/")
        self._label_of = label_of
        self._send_json = send
        self._sending: dict[str, asyncio.Task[None]] = {}  # by the id of the delivery
        self._receivers: Counter[str] = Counter()  # of what is on its way
        self._bell = asyncio.Event()
        self._has_hooks = False  # or had: what comes into the outbox is for one
        self._pruned_at = float("-inf")
        self._paused_until = 0.0

    async def start(self) -> None:
        """Take up the settings: from now on the owner's hook hears of every job."""
        self._has_hooks = await self._store.has_any()
        await self.use(self._settings)

    async def use(self, settings: WebhookSettings) -> None:
        """Report to this address from now on, signed with this secret.

        Raises:
            GenerationError: it cannot be written; the ones before stay.
        """
        if settings.url:
            now, events = self._clock.now(), frozenset(EVENTS)
            hook = Hook(id=OWNERS_HOOK, url=settings.url, events=events, created_at=now)
            await self._store.save_hook(hook)
            self._has_hooks = True
        else:
            await self._store.drop_hook(OWNERS_HOOK)
        self._settings = settings

    def note(self, job: Job) -> None:
        """Look into the outbox: this job has changed. Never waits."""
        self._has_hooks |= job.origin.webhook is not None
        if self._has_hooks and job.status is not JobStatus.RUNNING:
            self._bell.set()

    def wanted(self, url: str | None, events: Iterable[str] = ()) -> Webhook | None:
        """Return what a job is submitted with that should be told to `url`; all events if none is named.

        Raises:
            RequestRejected: the address may not be used, or there is no such event.
        """
        if not url:
            return None
        check_outbound(url, policy=self._policy, field="webhook")
        chosen = frozenset(events) or frozenset(EVENTS)
        if unknown := chosen - {*EVENTS}:
            raise RequestRejected(
                _("There is no event “{event}”. Available: {events}.", event=min(unknown), events=", ".join(EVENTS)),
                field="webhook_events_filter",
            )
        return Webhook(url=url, events=chosen)

    async def tell_owner(self, event: str, values: Mapping[str, Any]) -> None:
        """Notify the owner's address, if there is one, of something that is about no job."""
        if not self._settings.url:
            return
        delivery_id, now = secrets.token_hex(8), self._clock.now()
        body = json.dumps({"id": delivery_id, "event": event, "created_at": _written(now), **values})
        await self._store.add(delivery_id, OWNERS_HOOK, event=event, body=body, now=now)
        self._bell.set()

    async def run(self) -> None:
        """Deliver what is due and sleep until the next is, until cancelled."""
        try:
            while True:
                self._bell.clear()
                try:
                    wait_s = await self._send_due()
                except Exception:
                    self._pause()
                    wait_s = STORE_PAUSE_S
                await sleep_until(self._bell, self._clock, wait_s)
        finally:
            for task in self._sending.values():
                task.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)

    async def _send_due(self) -> float:
        """Begin to send what is due and has room; return the seconds until more may be (inf = when a bell rings)."""
        if (paused_s := self._paused_until - self._clock.monotonic()) > 0:
            return paused_s
        await self._prune()
        resting: set[str] = set()  # hooks of receivers that have enough on the way
        for __ in range(LOOKS):
            due = await self._store.due(self._clock.now(), LOOK_AT, without=self._sending, resting=resting)
            for delivery in due:
                receiver = urlsplit(delivery.url).netloc
                if self._receivers[receiver] >= AT_ONCE_EACH:
                    resting.add(delivery.hook_id)
                elif len(self._sending) < AT_ONCE:
                    self._begin(delivery, receiver)
            if len(due) < LOOK_AT or len(self._sending) == AT_ONCE:
                break
        if len(self._sending) == AT_ONCE:
            return float("inf")
        next_due = await self._store.next_due(without=self._sending)
        if next_due is None:
            return float("inf")
        left_s = next_due - self._clock.now().timestamp()
        # what is due and found no room begins when something else has ended, which rings
        return left_s if left_s > 0 or not self._sending else float("inf")

    def _begin(self, delivery: WebhookDelivery, receiver: str) -> None:
        task = asyncio.create_task(self._send(delivery), name=f"webhook {delivery.id}")  # no text: a task
        self._sending[delivery.id] = task
        self._receivers[receiver] += 1

        def ended(__: asyncio.Task[None]) -> None:
            del self._sending[delivery.id]
            self._receivers -= Counter((receiver,))
            self._bell.set()

        task.add_done_callback(ended)

    async def _send(self, delivery: WebhookDelivery) -> None:
        try:
            body = delivery.body or await self._written_of(delivery)
            if body is None:
                await self._store.end(delivery.seq, _("the job is gone"))
                return
            answer, is_over = await self._attempt(delivery, body.encode())
            if is_over:
                await self._store.end(delivery.seq, answer)
            else:
                due_at = self._clock.now().timestamp() + BACK_OFF_S[delivery.failures]
                await self._store.again(delivery, due_at=due_at, answer=answer)
        except Exception:
            self._pause()

    def _pause(self) -> None:
        """Leave the store alone for a while; what could not be noted is sent again, under the same id."""
        log.exception("webhooks have to wait", extra={"action": "webhook_failed"})
        self._paused_until = self._clock.monotonic() + STORE_PAUSE_S

    async def _attempt(self, delivery: WebhookDelivery, body: bytes) -> tuple[str, bool]:
        """Send once; return what came of it, and whether that is the end."""
        is_hopeless = False
        try:
            status = await self._post(delivery, body)
            answer, is_hopeless = f"HTTP {status}", status == GONE
            if 200 <= status < 300:
                return answer, True
        except RequestRejected as error:  # the address is against the rules: trying again changes nothing
            answer, is_hopeless = error.user_message, True
        except BackendUnavailable as error:
            answer = error.user_message
        failures = delivery.failures + 1
        is_over = is_hopeless or failures > len(BACK_OFF_S)
        fields = {"action": "webhook_failed", "job": delivery.job_id, "event": delivery.event, "attempt": failures}
        if is_over:
            log.warning("webhook given up: %s", answer, extra=fields)
        else:
            log.info("webhook not delivered: %s", answer, extra=fields)
        return answer, is_over

    async def _post(self, delivery: WebhookDelivery, body: bytes) -> int:
        now_s = self._clock.now().timestamp()
        headers = standard_headers(delivery.id, body, self._settings.secret.get_secret_value(), now_s)
        headers |= {"X-Easel-Event": delivery.event, "X-Easel-Delivery": delivery.id}
        if self._settings.secret.get_secret_value():
            headers["X-Easel-Signature"] = signature_of(body, self._settings.secret.get_secret_value(), now_s)
        policy = self._owner_policy if delivery.is_owners else self._policy
        return await self._send_json(delivery.url, body, headers, policy)

    async def _prune(self) -> None:
        now = self._clock.monotonic()
        if now - self._pruned_at >= PRUNE_EVERY_S:
            before = self._clock.now() - timedelta(seconds=KEEP_S)
            if given_up := await self._store.prune(before, most_waiting=MAX_WAITING):
                fields = {"action": "webhook_failed", "deliveries": given_up}
                log.warning("webhooks given up: too many wait", extra=fields)
            self._pruned_at = now

    async def _written_of(self, delivery: WebhookDelivery) -> str | None:
        """Write an event of a job from its row; None when there is none any more."""
        job = await self._job_of(delivery.job_id)
        if job is None:
            return None
        if delivery.event == "queued":  # it may have ended in the meantime, which is another event's news
            job = replace(job, status=JobStatus.QUEUED, result=None, error=None, finished_at=None)
        created_at = datetime.fromtimestamp(delivery.created_at, UTC)
        words = self._told(job, is_owners=delivery.is_owners)
        return json.dumps(
            {"id": delivery.id, "event": delivery.event, "created_at": _written(created_at), "job": words}
        )

    def _told(self, job: Job, *, is_owners: bool) -> dict[str, Any]:
        """Return what is told of a job. Of a private one the owner's hook learns neither the words nor the pictures."""
        values: dict[str, Any] = {
            "id": job.id,
            "status": str(job.status),
            "mode": str(job.request.mode),
            "engine": self._label_of(job.lane),
            "model": (job.result and job.result.model) or job.drawn.model,
            "width": job.settled.width,
            "height": job.settled.height,
            "steps": job.drawn.steps,
            "seed": job.drawn.seed,
            "created_at": _written(job.created_at),
            "finished_at": _written(job.finished_at),
            "error": {"code": job.error.code, "message": english(job.error.user_message)} if job.error else None,
        }
        if job.result:
            values |= {"seconds": job.result.seconds, "cost_usd": job.result.cost_usd}
        if not (is_owners and job.origin.private):
            values |= {"prompt": job.request.prompt, "negative_prompt": job.request.negative_prompt}
            values["images"] = [
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
        return values


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
