"""Hooks and the outbox: sealed, written with the change they tell of, told once, forgotten when done."""

import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from generation.job import JobStatus, Webhook
from store import webhooks
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from store.webhooks import Hook, WebhookStore
from tests.store.conftest import NOW, bytes_on_disk, make_job
from utils.secrets import SecretBox

EVENTS = frozenset({"queued", "finished", "failed"})
ALL = Hook(id="all", url="https://a.example/secret-path", events=EVENTS, created_at=NOW)
PLENTY = 1000


@pytest.fixture
def hooks(database, box):
    return WebhookStore(database, box)


async def told(hooks, now=NOW) -> list[tuple[str, str, str]]:
    return [(found.hook_id, found.job_id, found.event) for found in await hooks.due(now, 99)]


def hooked(job_id: str, *events: str, url: str = "https://b.example/own-secret"):
    wanted = Webhook(url=url, events=frozenset(events or EVENTS))
    return make_job(job_id, created_at=NOW, origin={"webhook": wanted})


async def test_a_job_is_told_to_its_own_hook_and_to_those_of_every_job(hooks, jobs, tmp_path):
    await hooks.save_hook(ALL)
    await jobs.insert(hooked("job1"))
    await jobs.insert(make_job("job2", created_at=NOW))
    due = await hooks.due(NOW, 9)
    assert {(found.url, found.job_id, found.is_owners) for found in due} == {
        ("https://b.example/own-secret", "job1", False),
        (ALL.url, "job1", True),
        (ALL.url, "job2", True),
    }
    assert len({found.id for found in due}) == 3
    assert b"secret-path" not in bytes_on_disk(tmp_path)
    assert b"own-secret" not in bytes_on_disk(tmp_path)


@pytest.mark.parametrize("status", [status for status in JobStatus if status not in ("queued", "running", "done")])
async def test_an_end_is_written_once_with_the_change_that_it_tells_of(hooks, jobs, status):
    await jobs.insert(hooked("job1", "failed"))
    assert await told(hooks) == []
    for _ in range(2):
        await jobs.finish("job1", status, now=NOW + timedelta(seconds=9))
    later = NOW + timedelta(seconds=9)
    ((_, job_id, event),) = await told(hooks, later)
    assert (job_id, event) == ("job1", "failed")
    assert (await hooks.due(later, 9))[0].created_at == later.timestamp()


async def test_a_change_that_is_rolled_back_tells_nothing(hooks, jobs, database):
    await hooks.save_hook(ALL)
    with suppress(ZeroDivisionError):
        async with database.transaction():
            await jobs.insert(make_job("job1", created_at=NOW))
            raise ZeroDivisionError
    assert await told(hooks) == []


async def test_a_hook_of_the_same_id_is_replaced_and_keeps_what_is_due(hooks, jobs):
    await hooks.save_hook(ALL)
    await jobs.insert(make_job("job1", created_at=NOW))
    await hooks.save_hook(replace(ALL, url="https://new.example/"))
    assert [found.url for found in await hooks.due(NOW, 9)] == ["https://new.example/"]
    await hooks.drop_hook("all")
    assert await hooks.due(NOW, 9) == []
    assert await hooks.next_due() is None


async def test_the_later_event_of_a_job_waits_for_the_earlier_and_nobody_elses(hooks, jobs):
    for name in ("job1", "job2"):
        await jobs.insert(hooked(name))
        await jobs.finish(name, JobStatus.CANCELLED, now=NOW)
    first, other = await hooks.due(NOW, 9)
    assert [(found.job_id, found.event) for found in (first, other)] == [("job1", "queued"), ("job2", "queued")]
    later = NOW + timedelta(seconds=5)
    await hooks.again(first, due_at=later.timestamp(), answer="HTTP 500")
    await hooks.end(other.seq, "HTTP 200")
    assert [found.job_id for found in await hooks.due(NOW, 9)] == ["job2"]
    await hooks.end((await hooks.due(NOW, 9))[0].seq, "HTTP 200")
    assert await hooks.next_due() == later.timestamp()
    (again,) = await hooks.due(later, 9)
    assert (again.id, again.failures) == (first.id, 1)
    assert await hooks.due(later, 9, without=[again.id]) == []
    assert await hooks.next_due(without=[again.id]) is None
    await hooks.end(again.seq, "HTTP 410")
    (last,) = await hooks.due(later, 9)
    assert (last.event, last.failures) == ("failed", 0)


async def test_what_is_about_no_job_goes_to_its_hook_if_there_is_one(hooks, tmp_path):
    await hooks.add("a1", "all", event="alert", body="something secret", now=NOW)
    assert await hooks.next_due() is None
    await hooks.save_hook(ALL)
    for delivery_id in ("a2", "a3"):
        await hooks.add(delivery_id, "all", event="alert", body="something secret", now=NOW)
    first, second = await hooks.due(NOW, 9)
    assert (first.id, first.body, second.id) == ("a2", "something secret", "a3")
    await hooks.again(first, due_at=NOW.timestamp() + 5, answer="HTTP 500")
    assert [found.id for found in await hooks.due(NOW, 9)] == ["a3"]
    for seq in (first.seq, second.seq):
        await hooks.end(seq, "HTTP 200")
    assert await hooks.next_due() is None
    await hooks._database.shrink()
    assert b"something secret" not in bytes_on_disk(tmp_path)


async def test_an_address_sealed_with_a_lost_key_is_given_up(hooks, database, jobs, caplog):
    await hooks.save_hook(ALL)
    await jobs.insert(make_job("job1", created_at=NOW))
    other = WebhookStore(database, SecretBox(Fernet.generate_key()))
    assert await other.due(NOW, 9) == []
    assert await hooks.next_due() is None
    assert "given up" in caplog.text


async def test_old_ends_and_hooks_of_old_jobs_are_forgotten(hooks, jobs, database):
    await hooks.save_hook(ALL)
    await jobs.insert(hooked("over", "queued"))
    await jobs.insert(hooked("running", "finished"))
    for found in await hooks.due(NOW, 9):
        if found.job_id == "over" and found.hook_id != "all":
            await hooks.end(found.seq, "HTTP 200")
    await jobs.finish("over", JobStatus.CANCELLED, now=NOW)
    assert await hooks.prune(NOW + timedelta(days=1), most_waiting=PLENTY) == 0
    assert {row["job_id"] for row in await database.fetch("SELECT job_id FROM webhooks")} == {"", "running"}
    assert {job_id for _, job_id, _ in await told(hooks)} == {"over", "running"}


async def test_what_a_dead_receiver_piles_up_is_bounded(hooks, jobs):
    await hooks.save_hook(ALL)
    for number in range(5):
        await jobs.insert(make_job(f"job{number}", created_at=NOW))
    assert await hooks.prune(NOW, most_waiting=2) == 3
    assert [job_id for _, job_id, _ in await told(hooks)] == ["job3", "job4"]


@pytest.mark.parametrize("name", ["DUE", "NEXT_DUE", "AGAIN"])
async def test_the_outbox_is_never_gone_through(database, name):
    names = ("now", "without", "resting", "limit", "seq", "hook_id", "job_id", "due_at", "answer")
    sql = "EXPLAIN QUERY PLAN " + getattr(webhooks, name)
    values = ("[]",) if "?" in sql else dict.fromkeys(names, "[]")
    plan = " ".join(row["detail"] for row in await database.fetch(sql, values))
    assert "SCAN d" not in plan.replace("SCAN d USING", "")
    assert "SCAN webhook_outbox" not in plan


async def test_what_an_older_version_left_is_sent_by_this_one(tmp_path, box):
    path = tmp_path / "old.sqlite3"
    older = {name: script for name, script in easel_steps().items() if name < "012"}
    await (await Database.open(path, migrations=older)).close()
    with sqlite3.connect(path) as raw:
        row = ("settings", "", box.seal("https://a.example/"), "failed finished queued", 0.0)
        raw.execute("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)", row)
        raw.execute(
            "INSERT INTO webhook_deliveries VALUES ('d1', 'settings', 'job1', 'queued', '{}', 2, 5.0, 6.0, 'HTTP 500')"
        )
    raw.close()
    database = await Database.open(path, migrations=easel_steps())
    (found,) = await WebhookStore(database, box).due(NOW, 9)
    assert (found.id, found.job_id, found.event, found.body, found.failures) == ("d1", "job1", "queued", "{}", 2)
    await JobStore(database, box).insert(make_job("job1", created_at=NOW))
    assert len(await WebhookStore(database, box).due(NOW, 9)) == 1
    await database.close()


async def test_an_end_that_an_older_version_never_told_of_is_told(tmp_path, box):
    path = tmp_path / "old.sqlite3"
    older = {name: script for name, script in easel_steps().items() if name != "012_outbox"}
    database = await Database.open(path, migrations=older)
    await WebhookStore(database, box).save_hook(replace(ALL, created_at=NOW - timedelta(days=9)))
    (now_s,) = (await database.fetch("SELECT CAST(strftime('%s', 'now') AS REAL)"))[0]
    lately, long_ago = (NOW.fromtimestamp(now_s - seconds, NOW.tzinfo) for seconds in (60, 90_000))
    for number, moment in enumerate((long_ago, lately), 1):
        await JobStore(database, box).insert(make_job(f"job{number}", created_at=moment))
        await JobStore(database, box).finish(f"job{number}", JobStatus.CANCELLED, now=moment)
    await database.close()
    database = await Database.open(path, migrations=easel_steps())
    assert await told(WebhookStore(database, box), NOW.fromtimestamp(now_s, NOW.tzinfo)) == [("all", "job2", "failed")]
    await database.close()
