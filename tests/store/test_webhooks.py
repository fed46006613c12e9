"""Hooks and deliveries: sealed, told once, forgotten when done."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from generation.job import JobStatus
from store.webhooks import Hook, NewDelivery, WebhookStore
from tests.store.conftest import NOW, bytes_on_disk, make_job
from utils.secrets import SecretBox

EVENTS = frozenset({"queued", "finished", "failed"})
ALL = Hook(id="all", url="https://a.example/secret-path", events=EVENTS, created_at=NOW)
ONE = Hook(id="one", job_id="job1", url="https://b.example/", events=frozenset({"finished"}), created_at=NOW)


@pytest.fixture
def hooks(database, box):
    return WebhookStore(database, box)


def delivery(number: int = 1, **values) -> NewDelivery:
    return NewDelivery(
        **{"id": f"d{number}", "hook_id": "all", "job_id": "job1", "event": "queued", "body": "{}"} | values
    )


async def test_a_job_has_its_own_hooks_and_those_of_every_job(hooks, tmp_path):
    await hooks.save_hook(ALL)
    await hooks.save_hook(ONE)
    assert {hook.id for hook in await hooks.hooks_of("job1")} == {"all", "one"}
    assert await hooks.hooks_of("job2") == [ALL]
    assert await hooks.hooked_jobs() == {"", "job1"}
    assert b"secret-path" not in bytes_on_disk(tmp_path)


async def test_a_hook_of_the_same_id_is_replaced_and_keeps_what_is_due(hooks):
    await hooks.save_hook(ALL)
    await hooks.add([delivery()], NOW)
    await hooks.save_hook(replace(ALL, url="https://new.example/"))
    assert [found.url for found in await hooks.due(NOW, 9)] == ["https://new.example/"]
    await hooks.drop_hook("all")
    assert await hooks.due(NOW, 9) == []
    assert await hooks.next_due() is None


async def test_an_event_is_told_to_a_hook_once(hooks):
    await hooks.save_hook(ALL)
    await hooks.add([delivery()], NOW)
    await hooks.add([delivery(2), delivery(3, event="finished")], NOW)
    assert {found.id for found in await hooks.due(NOW, 9)} == {"d1", "d3"}


async def test_a_failure_moves_it_and_an_end_empties_it(hooks, tmp_path):
    await hooks.save_hook(ALL)
    await hooks.add([delivery(body="a very private prompt")], NOW)
    later = NOW + timedelta(seconds=5)
    await hooks.again("d1", failures=1, due_at=later.timestamp(), answer="HTTP 500")
    assert await hooks.due(NOW, 9) == []
    assert await hooks.next_due() == later.timestamp()
    (again,) = await hooks.due(later, 9)
    assert (again.failures, again.is_owners, again.body) == (1, True, "a very private prompt")
    await hooks.end("d1", "HTTP 200")
    assert await hooks.next_due() is None
    await hooks._database.shrink()
    assert b"very private" not in bytes_on_disk(tmp_path)


async def test_an_address_sealed_with_a_lost_key_is_given_up(hooks, database, caplog):
    await hooks.save_hook(ALL)
    await hooks.add([delivery()], NOW)
    other = WebhookStore(database, SecretBox(Fernet.generate_key()))
    assert await other.hooks_of("job1") == []
    assert await other.due(NOW, 9) == []
    assert await hooks.next_due() is None
    assert "given up" in caplog.text


async def test_an_end_that_no_hook_was_told_of_is_found(hooks, jobs):
    await hooks.save_hook(replace(ALL, created_at=NOW - timedelta(days=9)))
    for number, seconds in enumerate((-90000, 10, 20), 1):
        await jobs.insert(make_job(f"job{number}", second=seconds))
        await jobs.finish(f"job{number}", JobStatus.CANCELLED, now=NOW + timedelta(seconds=seconds))
    await jobs.insert(make_job("job4"))
    await hooks.add([delivery(1, job_id="job2", event="failed"), delivery(2, job_id="job3")], NOW)
    assert await hooks.missed(NOW - timedelta(days=1)) == ["job3"]


async def test_what_ended_before_a_hook_came_is_not_missed(hooks, jobs):
    await jobs.insert(make_job("job1"))
    await jobs.finish("job1", JobStatus.CANCELLED, now=NOW)
    await hooks.save_hook(replace(ALL, created_at=NOW + timedelta(seconds=1)))
    assert await hooks.missed(NOW - timedelta(days=1)) == []


async def test_old_ends_and_hooks_of_old_jobs_are_forgotten(hooks, jobs):
    await jobs.insert(make_job("running"))
    for hook in (ALL, ONE, replace(ONE, id="two", job_id="running")):
        await hooks.save_hook(hook)
    await hooks.add([delivery(1, hook_id="one"), delivery(2)], NOW)
    await hooks.end("d1", "HTTP 200")
    await hooks.prune(NOW + timedelta(days=1))
    assert await hooks.hooked_jobs() == {"", "running"}
    assert [found.id for found in await hooks.due(NOW, 9)] == ["d2"]
