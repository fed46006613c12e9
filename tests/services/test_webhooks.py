"""Webhooks: every event reaches its hooks, in order, signed, after crashes too, and private jobs stay private."""

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from generation.errors import BackendUnavailable, RequestRejected
from generation.job import Job, JobError, JobStatus, Webhook
from generation.result import JobResult, StoredImage
from services.reports.webhooks import AT_ONCE, AT_ONCE_EACH, BACK_OFF_S, LOOK_AT, WebhookService
from settings.webhooks import WebhookSettings
from store.database import Database
from store.jobs import AskedBefore, JobStore
from store.webhooks import WebhookStore
from tests.fakes import settle
from tests.store.conftest import NOW, make_job
from tests.store.ready import open_database
from utils.secrets import SecretBox
from utils.urls import UrlPolicy
from utils.webhook_signatures import verify_replicate

OWNERS = "http://192.168.1.9/hook"
THEIRS = "https://app.example/hook?key=1"
STRICT = UrlPolicy()
BOX = SecretBox(Fernet.generate_key())
IMAGE = StoredImage(media_id="pic1", seed=812, width=512, height=512, media_type="image/png", size_bytes=9)


class Receiver:
    """Takes the place of `post_json`: notes what comes, answers what the test says."""

    def __init__(self) -> None:
        self.answers: list[int | Exception] = []
        self.seen: list[tuple[str, dict, dict, UrlPolicy]] = []
        self.raw: list[bytes] = []

        self.slow: dict[str, asyncio.Event] = {}  # by address: no answer before it is set

    async def __call__(self, url, body, headers, policy) -> int:
        self.seen.append((url, json.loads(body), dict(headers), policy))
        self.raw.append(body)
        if url in self.slow:
            await self.slow[url].wait()
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events(self) -> list[tuple[str, str]]:
        return [(url, body["event"]) for url, body, *_ in self.seen]


class World:
    """One database, one receiver; `running` is one life of the process."""

    def __init__(self, database: Database, clock) -> None:
        self.database, self.clock = database, clock
        self.receiver = Receiver()
        self.jobs = JobStore(database, BOX)
        self.service: WebhookService | None = None

    @asynccontextmanager
    async def running(self, owner_url=OWNERS, secret="", **values):
        store, settings = WebhookStore(self.database, BOX), WebhookSettings(url=owner_url, secret=secret)
        options = {"policy": STRICT, "public_url": "https://easel.example/", "settings": settings} | values
        service = WebhookService(store, self.clock, job_of=self.jobs.get, send=self.receiver, **options)
        await service.start()
        task, self.service = asyncio.create_task(service.run()), service
        try:
            yield service
        finally:
            self.service = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def take_in(self, job_id: str = "job1", *, hook: Webhook | None = None, private: bool = False) -> Job:
        job = make_job(job_id, created_at=self.clock.now(), origin={"webhook": hook, "private": private})
        await self.jobs.insert(job)
        return self._noted(job)

    async def end(self, job_id: str = "job1", status: JobStatus = JobStatus.CANCELLED, **values) -> Job:
        job = await self.jobs.finish(job_id, status, now=self.clock.now(), **values)
        assert job
        return self._noted(job)

    async def done(self, job_id: str = "job1") -> Job:
        job = await self.jobs.claim(job_id, lane="gpu1", now=self.clock.now())
        assert job
        self._noted(job)
        result = JobResult(images=(IMAGE,), backend="gpu", seconds=2.5)
        return await self.end(job_id, JobStatus.DONE, result=result)

    def _noted(self, job: Job) -> Job:
        if self.service:
            self.service.note(job)
        return job

    async def until(self, count: int) -> None:
        """Wait for so many sends; the database works in a thread, which the fake clock does not move."""
        async with asyncio.timeout(5):
            while len(self.receiver.seen) < count:
                await asyncio.sleep(0.001)
        await self.idle()

    async def idle(self) -> None:
        """Let the worker finish what it can do now."""
        for _ in range(8):
            await self.database.fetch("SELECT 1")
            await settle()


@pytest.fixture
async def world(tmp_path, clock):
    database = await open_database(tmp_path / "easel.sqlite3")
    yield World(database, clock)
    await database.close()


def hook(*events: str, url: str = THEIRS) -> Webhook:
    return Webhook(url=url, events=frozenset(events or ("queued", "finished", "failed")))


async def test_the_owner_hears_of_every_job_once(world):
    async with world.running(label_of={"gpu1": "gpu-box"}.__getitem__):
        job = await world.take_in()
        await world.jobs.claim("job1", lane="gpu1", now=world.clock.now())
        again = {"candidates": job.candidates, "drawn": job.drawn, "attempt": 2, "tried": (), "notes": ()}
        assert await world.jobs.requeue("job1", lane="gpu1", not_before=None, **again)
        await world.clock.advance(60)
        await world.done()
        await world.until(2)
    assert world.receiver.events() == [(OWNERS, "queued"), (OWNERS, "finished")]
    queued, finished = (body["job"] for _, body, *_ in world.receiver.seen)
    assert (queued["status"], queued["images"], queued["finished_at"]) == ("queued", [], None)
    assert finished["status"] == "done"
    assert (finished["engine"], finished["prompt"], finished["seconds"]) == ("gpu-box", "a red fox", 2.5)
    ended_at = world.clock.now().isoformat().replace("+00:00", "Z")
    assert (finished["finished_at"], world.receiver.seen[1][1]["created_at"]) == (ended_at, ended_at)
    assert finished["images"][0]["url"] == "https://easel.example/api/media/pic1"


async def test_what_happened_while_nothing_was_sent_is_told_in_order_after_the_restart(world):
    """Nothing but the table saw it: a process that died at any moment after a commit leaves exactly this."""
    async with world.running():
        pass
    await world.take_in(hook=hook())
    await world.done()
    async with world.running():
        await world.until(4)
    events = world.receiver.events()
    for url in (OWNERS, THEIRS):
        assert [event for address, event in events if address == url] == ["queued", "finished"]
    async with world.running():
        await world.idle()
    assert len(world.receiver.seen) == 4


async def test_a_job_and_its_hook_are_one_commit(world):
    job = make_job("job1", created_at=NOW, origin={"webhook": hook(), "request_key": "k#0"})
    await world.jobs.insert(job)
    with pytest.raises(AskedBefore):
        await world.jobs.insert(replace(job, id="job2"))
    rows = await world.database.fetch("SELECT job_id FROM webhooks")
    assert [row["job_id"] for row in rows] == ["job1"]
    assert (await world.jobs.get("job1")).origin.webhook is None
    reported = await world.database.fetch("SELECT job_id, event, body FROM webhook_outbox")
    assert [tuple(row) for row in reported] == [("job1", "queued", "")]


async def test_an_answer_from_the_cache_is_told_as_queued_and_finished(world):
    result = JobResult(images=(IMAGE,), backend="gpu", seconds=0.0, from_cache=True)
    now = world.clock.now()
    job = make_job("job1", created_at=now, origin={"webhook": hook()})
    async with world.running(owner_url=""):
        done = replace(job, status=JobStatus.DONE, result=result, started_at=now, finished_at=now)
        await world.jobs.insert(done)
        world._noted(done)
        await world.until(2)
    assert [event for _, event in world.receiver.events()] == ["queued", "finished"]


async def test_the_owner_is_told_of_what_is_about_no_job(world, clock):
    world.receiver.answers = [204, 500]
    async with world.running(secret="s") as hooks:
        await hooks.tell_owner("alert", {"alert": {"kind": "slow"}})
        await world.until(1)
        url, reported, headers, _ = world.receiver.seen[0]
        assert (url, reported["event"], reported["alert"]) == (OWNERS, "alert", {"kind": "slow"})
        assert headers["X-Easel-Event"] == "alert"
        assert headers["X-Easel-Signature"].startswith("t=")
        await hooks.tell_owner("alert", {"alert": {"kind": "errors"}})
        await world.until(2)
    await clock.advance(5)
    async with world.running():
        await world.until(3)
    assert world.receiver.raw[1] == world.receiver.raw[2]
    async with world.running(owner_url="") as hooks:
        await hooks.tell_owner("alert", {})
        await world.idle()
    assert len(world.receiver.seen) == 3


@pytest.mark.parametrize("is_owners", [True, False])
async def test_what_piles_up_at_a_slow_receiver_keeps_no_other_waiting(world, is_owners):
    slow = OWNERS if is_owners else "https://slow.example/hook"
    world.receiver.slow[slow] = asyncio.Event()
    theirs = None if is_owners else Webhook(url=slow, events=frozenset(("queued",)))
    async with world.running(owner_url=OWNERS if is_owners else ""):
        for number in range(LOOK_AT * 2):
            await world.take_in(f"job{number}", hook=theirs)
        await world.take_in("quick", hook=Webhook(url=THEIRS, events=frozenset(("queued",))))
        await world.until(AT_ONCE_EACH + 1)
        assert [url for url, _ in world.receiver.events()].count(THEIRS) == 1
        world.receiver.slow[slow].set()


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED])
async def test_every_other_end_is_a_failure_with_its_status(world, status):
    error = JobError(code="timed_out", user_message="Generation timed out.")
    async with world.running():
        await world.take_in()
        await world.end(status=status, error=error)
        await world.until(2)
    body = world.receiver.seen[1][1]
    assert (body["event"], body["job"]["status"]) == ("failed", str(status))
    assert body["job"]["error"] == {"code": "timed_out", "message": "Generation timed out."}


async def test_the_owners_hook_learns_neither_words_nor_pictures_of_a_private_job(world):
    async with world.running():
        await world.take_in(hook=hook(), private=True)
        await world.done()
        await world.until(4)
    for url, body, *_ in world.receiver.seen:
        is_told = url == THEIRS
        assert ("prompt" in body["job"], "images" in body["job"]) == (is_told, is_told)
        assert ("a red fox" in json.dumps(body)) is is_told


async def test_what_is_sent_can_be_checked_and_told_apart(world):
    async with world.running(secret="s3cret"):
        await world.take_in()
        await world.until(1)
    _, body, headers, _ = world.receiver.seen[0]
    stamp, _, signature = headers["X-Easel-Signature"].partition(",v1=")
    signed = stamp.removeprefix("t=").encode() + b"." + world.receiver.raw[0]
    assert signature == hmac.new(b"s3cret", signed, "sha256").hexdigest()
    assert headers["X-Easel-Event"] == "queued"
    assert headers["X-Easel-Delivery"] == body["id"]
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (body["id"], stamp.removeprefix("t="))
    key = "whsec_" + base64.b64encode(b"s3cret").decode()  # what a library for Standard Webhooks is given
    assert verify_replicate(headers, world.receiver.raw[0], key, now_s=float(headers["webhook-timestamp"]))


async def test_a_hook_of_one_job_gets_the_events_it_wants_and_no_others(world):
    async with world.running(owner_url=""):
        await world.take_in("job1", hook=hook("finished"))
        await world.take_in("job2")
        for name in ("job1", "job2"):
            await world.done(name)
        await world.until(1)
    assert world.receiver.events() == [(THEIRS, "finished")]
    assert world.receiver.seen[0][3] is STRICT


async def test_it_is_tried_again_with_the_same_id_and_then_given_up(world, clock, caplog):
    world.receiver.answers = [500, BackendUnavailable("no answer"), 302, 500, 500, 500]
    async with world.running():
        await world.take_in()
        await world.until(1)
        for count, wait_s in enumerate(BACK_OFF_S, 2):
            await clock.advance(wait_s - 0.5)
            await world.idle()
            assert len(world.receiver.seen) == count - 1
            await clock.advance(0.51)
            await world.until(count)
        await clock.advance(3600)
        await world.idle()
    assert len(world.receiver.seen) == 1 + len(BACK_OFF_S)
    assert len({headers["X-Easel-Delivery"] for _, _, headers, _ in world.receiver.seen}) == 1
    assert len(set(world.receiver.raw)) == 1
    assert "given up" in caplog.text
    assert OWNERS not in caplog.text


async def test_the_end_of_a_job_waits_until_its_beginning_was_taken(world, clock):
    world.receiver.answers = [500]
    async with world.running(owner_url=""):
        await world.take_in("job1", hook=hook())
        await world.until(1)
        await world.done("job1")
        await world.take_in("job2", hook=hook("queued", url="https://other.example/"))
        await world.until(2)
        await clock.advance(1.1)
        await world.until(4)
    assert [(body["job"]["id"], body["event"]) for _, body, *_ in world.receiver.seen] == [
        ("job1", "queued"), ("job2", "queued"), ("job1", "queued"), ("job1", "finished"),
    ]  # fmt: skip


async def test_a_receiver_that_does_not_answer_holds_up_no_other(world):
    world.receiver.slow[THEIRS] = asyncio.Event()
    async with world.running(owner_url=""):
        for number in range(AT_ONCE + 2):
            await world.take_in(f"slow{number}", hook=hook())
        await world.take_in("quick", hook=hook(url="https://quick.example/"))
        await world.done("quick")
        await world.until(AT_ONCE_EACH + 2)
        quick = [event for url, event in world.receiver.events() if url != THEIRS]
        assert quick == ["queued", "finished"]
        world.receiver.slow[THEIRS].set()
        await world.until(AT_ONCE + 2 + 2)


@pytest.mark.parametrize("answer", [410, RequestRejected("The address in webhook is refused.")])
async def test_what_is_hopeless_is_not_tried_again(world, clock, answer):
    world.receiver.answers = [answer]
    async with world.running():
        await world.take_in()
        await world.until(1)
        await clock.advance(3600)
        await world.idle()
    assert len(world.receiver.seen) == 1


async def test_what_was_due_at_a_crash_is_sent_after_the_restart(world):
    world.receiver.answers = [500]
    async with world.running():
        await world.take_in()
        await world.until(1)
    await world.clock.advance(600)
    async with world.running():
        await world.until(2)
    assert world.receiver.raw[0] == world.receiver.raw[1]


async def test_without_an_address_in_the_settings_the_owners_hook_is_gone(world):
    async with world.running():
        pass
    async with world.running(owner_url=""):
        await world.take_in()
        await world.idle()
    assert world.receiver.seen == []


@pytest.mark.parametrize("call", ["due", "end"])
async def test_a_store_that_fails_for_a_while_loses_no_event(world, clock, monkeypatch, caplog, call):
    async with world.running():
        await world.idle()
        works, fails = getattr(WebhookStore, call), [OSError("disk full")]

        async def flaky(self, *args, **values):
            if fails:
                raise fails.pop()
            return await works(self, *args, **values)

        monkeypatch.setattr(WebhookStore, call, flaky)
        await world.take_in()
        await world.idle()
        assert "have to wait" in caplog.text
        await clock.advance(31)
        await world.until(1 if call == "due" else 2)
        await clock.advance(31)
        await world.idle()
    assert set(world.receiver.events()) == {(OWNERS, "queued")}
    assert len({headers["X-Easel-Delivery"] for _, _, headers, _ in world.receiver.seen}) == 1


async def test_a_store_that_takes_nothing_is_left_alone_however_much_happens(world, monkeypatch, caplog):
    async def broken(self, *args, **values):
        raise OSError("disk full")

    monkeypatch.setattr(WebhookStore, "prune", broken)
    async with world.running():
        for number in range(5):
            await world.take_in(f"job{number}")
            await world.idle()
    assert caplog.text.count("have to wait") == 1


@pytest.mark.parametrize(
    ("url", "events", "field"),
    [
        ("http://127.0.0.1/hook", (), "webhook"),
        ("nonsense", (), "webhook"),
        (THEIRS, ("done",), "webhook_events_filter"),
    ],
)
async def test_a_hook_that_may_not_be_is_refused_by_field(world, url, events, field):
    async with world.running() as hooks:
        assert hooks.wanted(None) is None
        with pytest.raises(RequestRejected) as refused:
            hooks.wanted(url, events)
    assert refused.value.field == field
