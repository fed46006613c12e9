"""Webhooks: every event reaches its hooks once, signed, in time, after crashes too, and private jobs stay private."""

import asyncio
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from generation.errors import BackendUnavailable, RequestRejected
from generation.job import Job, JobError, JobStatus
from generation.result import JobResult, StoredImage
from services.webhooks import BACK_OFF_S, WebhookService
from store.database import Database
from store.webhooks import WebhookStore
from tests.fakes import settle
from tests.store.conftest import make_job
from tests.store.ready import open_database
from utils.secrets import SecretBox
from utils.urls import UrlPolicy

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

    async def __call__(self, url, body, headers, policy) -> int:
        self.seen.append((url, json.loads(body), dict(headers), policy))
        self.raw.append(body)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events(self) -> list[tuple[str, str]]:
        return [(url, body["event"]) for url, body, *_ in self.seen]


class World:
    """One database, one receiver, the rows that `queue.get` would give; `running` is one life of the process."""

    def __init__(self, database: Database, clock) -> None:
        self.database, self.clock = database, clock
        self.receiver = Receiver()
        self.jobs: dict[str, Job] = {}

    @asynccontextmanager
    async def running(self, **values):
        options = {"owner_url": OWNERS, "policy": STRICT, "public_url": "https://easel.example/"} | values
        store = WebhookStore(self.database, BOX)
        service = WebhookService(store, self.clock, job_of=self.job_of, send=self.receiver, **options)
        await service.start()
        task = asyncio.create_task(service.run())
        try:
            yield service
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def job_of(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    async def until(self, count: int) -> None:
        """Wait for so many sends; the database works in a thread, which the fake clock does not move."""
        async with asyncio.timeout(5):
            while len(self.receiver.seen) < count:
                await asyncio.sleep(0.001)
        await self.idle()

    async def idle(self) -> None:
        """Let the worker finish what it can do now."""
        for _ in range(5):
            await self.database.fetch("SELECT 1")
            await settle()


@pytest.fixture
async def world(tmp_path, clock):
    database = await open_database(tmp_path / "easel.sqlite3")
    yield World(database, clock)
    await database.close()


def queued(job_id: str = "job1", **values) -> Job:
    return make_job(job_id, **values)


def done(job: Job) -> Job:
    result = JobResult(images=(IMAGE,), backend="gpu", seconds=2.5)
    return replace(job, status=JobStatus.DONE, result=result, finished_at=datetime(2026, 1, 1, 12, 1, tzinfo=UTC))


async def test_the_owner_hears_of_every_job_once(world):
    async with world.running(label_of={"gpu1": "gpu-box"}.__getitem__) as hooks:
        job = queued()
        for state in (job, replace(job, status=JobStatus.RUNNING), job, done(job)):
            hooks.note(state)
        await world.until(2)
    assert world.receiver.events() == [(OWNERS, "queued"), (OWNERS, "finished")]
    told = world.receiver.seen[1][1]["job"]
    assert told["status"] == "done"
    assert (told["engine"], told["prompt"], told["seconds"]) == ("gpu-box", "a red fox", 2.5)
    assert told["finished_at"] == "2026-01-01T12:01:00Z"
    assert told["images"][0]["url"] == "https://easel.example/api/media/pic1"


async def test_the_owner_is_told_of_what_is_about_no_job(world, caplog):
    async with world.running(secret="s") as hooks:
        await hooks.tell_owner("alert", {"alert": {"kind": "slow"}})
        url, told, headers, _ = world.receiver.seen[0]
        assert (url, told["event"], told["alert"]) == (OWNERS, "alert", {"kind": "slow"})
        assert headers["X-Easel-Event"] == "alert"
        assert headers["X-Easel-Signature"].startswith("t=")
        world.receiver.answers = [500]
        await hooks.tell_owner("alert", {})
        assert "HTTP 500" in caplog.text
    async with world.running(owner_url="") as hooks:
        await hooks.tell_owner("alert", {})
    assert len(world.receiver.seen) == 2


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED])
async def test_every_other_end_is_a_failure_with_its_status(world, status):
    error = JobError(code="timed_out", user_message="Generation timed out.")
    async with world.running() as hooks:
        hooks.note(replace(queued(), status=status, error=error))
        await world.until(1)
    body = world.receiver.seen[0][1]
    assert (body["event"], body["job"]["status"]) == ("failed", str(status))
    assert body["job"]["error"] == {"code": "timed_out", "message": "Generation timed out."}


async def test_the_owners_hook_learns_neither_words_nor_pictures_of_a_private_job(world):
    job = queued(origin={"private": True})
    world.jobs["job1"] = job
    async with world.running() as hooks:
        await hooks.attach("job1", THEIRS)
        hooks.note(done(job))
        await world.until(4)
    for url, body, *_ in world.receiver.seen:
        is_told = url == THEIRS
        assert ("prompt" in body["job"], "images" in body["job"]) == (is_told, is_told)
        assert ("a red fox" in json.dumps(body)) is is_told


async def test_what_is_sent_can_be_checked_and_told_apart(world):
    async with world.running(secret="s3cret") as hooks:
        hooks.note(queued())
        await world.until(1)
    _, body, headers, _ = world.receiver.seen[0]
    stamp, _, signature = headers["X-Easel-Signature"].partition(",v1=")
    signed = stamp.removeprefix("t=").encode() + b"." + world.receiver.raw[0]
    assert signature == hmac.new(b"s3cret", signed, "sha256").hexdigest()
    assert headers["X-Easel-Event"] == "queued"
    assert headers["X-Easel-Delivery"] == body["id"]


async def test_a_hook_of_one_job_gets_the_events_it_wants_and_no_others(world):
    async with world.running(owner_url="") as hooks:
        world.jobs = {name: queued(name) for name in ("job1", "job2")}
        await hooks.attach("job1", THEIRS, ["finished"])
        for job in world.jobs.values():
            hooks.note(job)
            hooks.note(done(job))
        await world.until(1)
    assert world.receiver.events() == [(THEIRS, "finished")]
    assert world.receiver.seen[0][3] is STRICT


async def test_a_hook_that_comes_late_hears_what_has_happened(world):
    world.jobs["job1"] = done(queued())
    async with world.running(owner_url="") as hooks:
        await hooks.attach("job1", THEIRS)
        await world.until(2)
    assert [event for _, event in world.receiver.events()] == ["queued", "finished"]


async def test_it_is_tried_again_with_the_same_id_and_then_given_up(world, clock, caplog):
    world.receiver.answers = [500, BackendUnavailable("no answer"), 302, 500, 500, 500]
    async with world.running() as hooks:
        hooks.note(queued())
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


@pytest.mark.parametrize("answer", [410, RequestRejected("The address in webhook is refused.")])
async def test_what_is_hopeless_is_not_tried_again(world, clock, answer):
    world.receiver.answers = [answer]
    async with world.running() as hooks:
        hooks.note(queued())
        await world.until(1)
        await clock.advance(3600)
        await world.idle()
    assert len(world.receiver.seen) == 1


async def test_what_was_due_at_a_crash_is_sent_after_the_restart(world):
    world.receiver.answers = [500]
    async with world.running() as hooks:
        hooks.note(queued())
        await world.until(1)
    await world.clock.advance(600)
    async with world.running():
        await world.until(2)
    assert world.receiver.raw[0] == world.receiver.raw[1]


async def test_an_end_that_a_crash_swallowed_is_told_after_the_restart(world, clock):
    from store.jobs import JobStore

    jobs = JobStore(world.database, BOX)
    async with world.running():
        pass
    job = queued()
    await jobs.insert(job)
    world.jobs["job1"] = await jobs.finish("job1", JobStatus.CANCELLED, now=clock.now() + timedelta(seconds=1))
    async with world.running():
        await world.until(1)
    assert world.receiver.events() == [(OWNERS, "failed")]
    async with world.running():
        await world.idle()
    assert len(world.receiver.seen) == 1


async def test_without_an_address_in_the_settings_the_owners_hook_is_gone(world):
    async with world.running():
        pass
    async with world.running(owner_url="") as hooks:
        hooks.note(queued())
        await world.idle()
    assert world.receiver.seen == []


async def test_a_store_that_fails_for_a_while_loses_no_event(world, clock, monkeypatch, caplog):
    async with world.running() as hooks:
        await world.idle()
        add, fails = WebhookStore.add, [OSError("disk full")]

        async def flaky(self, *args):
            if fails:
                raise fails.pop()
            await add(self, *args)

        monkeypatch.setattr(WebhookStore, "add", flaky)
        hooks.note(queued())
        await world.idle()
        assert "have to wait" in caplog.text
        await clock.advance(31)
        await world.until(1)
    assert world.receiver.events() == [(OWNERS, "queued")]


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
        with pytest.raises(RequestRejected) as refused:
            await hooks.attach("job1", url, events)
    assert refused.value.field == field
