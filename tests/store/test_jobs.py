"""Jobs come back as they went in, move only along the transitions, and each move has one winner."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from cryptography.fernet import Fernet

from generation.job import TERMINAL, TRANSITIONS, JobError, JobStatus
from generation.request import Mode, Priority, SourceImage
from generation.result import JobResult, StoredImage
from store import job_reader as reading
from store import jobs as sql
from store.jobs import JobStore, LanePace
from tests.store.conftest import NOW, REQUEST, bytes_on_disk, make_job
from utils.secrets import SecretBox

LATER = NOW + timedelta(minutes=1)
RESULT = JobResult(
    images=(StoredImage(media_id="m1", seed=812, width=512, height=512, media_type="image/png", size_bytes=99),),
    backend="gpu-box",
    seconds=11.5,
    model="sdxl",
    notes=("a remark",),
    expires_at=LATER,
)
ERROR = JobError(code="timed_out", user_message="Too slow.", hint="Try fewer steps.")
ELSEWHERE = {
    "lane": "grid",
    "candidates": ("grid",),
    "drawn": replace(REQUEST, steps=10),
    "attempt": 2,
    "tried": ("gpu1",),
    "notes": ("moved to grid",),
    "not_before": LATER,
    "away_since": NOW,
}
ORIGIN = {
    "user_name": "Mia",
    "guild_id": "3",
    "channel_id": "2",
    "source_message_id": "5",
    "message_id": "4",
    "reply_token": "interaction-token",
    "reply_token_until": LATER,
    "private": True,
    "parent_job_id": "job0",
    "places": ("2", "1"),
    "roles": ("9", "8"),
    "priority": Priority.LOW,
}
FULL_JOB = make_job(
    request=replace(REQUEST, mode=Mode.INPAINT, init_image=SourceImage.of(b"a"), mask_image=SourceImage.of(b"b")),
    origin=ORIGIN,
    status=JobStatus.DONE,
    weight=2.5,
    is_pinned=True,
    attempt=3,
    interruptions=2,
    away_since=NOW,
    tried=("grid",),
    notes=("one", "two"),
    remote_id="r1",
    result=RESULT,
    error=ERROR,
    not_before=NOW,
    started_at=NOW,
    finished_at=LATER,
    delivered_at=LATER,
)


@pytest.mark.parametrize("job", [make_job(), FULL_JOB], ids=["bare", "with everything"])
async def test_a_job_comes_back_as_it_went_in(jobs, job):
    await jobs.insert(job)
    assert await jobs.get(job.id) == job


async def test_there_is_no_unknown_job(jobs):
    assert await jobs.get("nobody") is None
    assert await jobs.claim("nobody", lane="gpu1", now=NOW) is None
    assert await jobs.attach_message("nobody", channel_id="1", message_id="2") is None


async def test_a_short_id_finds_its_job_unless_it_fits_several(jobs):
    for job_id in ("abc111", "abc222", "abd", "abd333"):
        await jobs.insert(make_job(job_id))
    assert (await jobs.find("abc1")).id == "abc111"
    assert (await jobs.find("abd")).id == "abd", "the whole id counts for more than a prefix"
    assert [await jobs.find(prefix) for prefix in ("abc", "x", "", "ab%")] == [None] * 4


async def test_the_random_part_of_a_stamped_id_finds_its_job_too(jobs):
    for job_id in ("job_1700000000000_k3f9aa", "job_1700000000001_k3f9bb"):
        await jobs.insert(make_job(job_id))
    assert (await jobs.find("k3f9b")).id == "job_1700000000001_k3f9bb"
    assert await jobs.find("k3f9") is None


async def test_messages_lead_to_the_jobs_they_show_until_those_are_delivered(jobs):
    await jobs.insert(make_job("old"))
    await jobs.insert(make_job("new", second=5))
    for job_id in ("new", "old"):
        attached = await jobs.attach_message(job_id, channel_id="2", message_id="4")
        assert (attached.origin.channel_id, attached.origin.message_id) == ("2", "4")
    assert {job.id for job in await jobs.due_in(["4", "5"])} == {"old", "new"}
    assert await jobs.due_in(["5"]) == []
    await jobs.finish("old", JobStatus.CANCELLED, now=LATER)
    await jobs.set_delivered("old", LATER)
    assert [job.id for job in await jobs.due_in(["4"])] == ["new"]


async def test_a_job_is_claimed_run_and_done(jobs):
    await jobs.insert(make_job(not_before=NOW))
    running = await jobs.claim("job1", lane="grid", now=LATER)
    assert (running.status, running.lane, running.started_at, running.not_before) == ("running", "grid", LATER, None)
    assert await jobs.set_remote_id("job1", "r1")
    done = await jobs.finish("job1", JobStatus.DONE, now=LATER, result=RESULT)
    assert (done.status, done.finished_at, done.result, done.remote_id) == ("done", LATER, RESULT, "r1")
    assert await jobs.get("job1") == done


async def test_what_stops_a_running_job_is_counted(jobs):
    await jobs.insert(make_job())
    assert await jobs.interrupted("job1") is None, "it does not run"
    await jobs.claim("job1", lane="gpu1", now=NOW)
    assert [(await jobs.interrupted("job1")).interruptions for _ in range(2)] == [1, 2]
    assert (await jobs.requeue("job1", **ELSEWHERE)).interruptions == 2


async def test_a_failed_job_says_why(jobs):
    await jobs.insert(make_job())
    failed = await jobs.finish("job1", JobStatus.FAILED, now=LATER, error=ERROR)
    assert failed.error == ERROR
    assert failed.result is None


async def test_a_requeued_job_forgets_its_run(jobs):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    await jobs.set_remote_id("job1", "r1")
    again = await jobs.requeue("job1", **ELSEWHERE)
    assert again == make_job(**ELSEWHERE)
    assert await jobs.requeue("job1", **ELSEWHERE) is None


async def move(jobs, to):
    if to is JobStatus.RUNNING:
        return await jobs.claim("job1", lane="gpu1", now=NOW)
    if to is JobStatus.QUEUED:
        return await jobs.requeue("job1", **ELSEWHERE)
    return await jobs.finish("job1", to, now=NOW)


@pytest.mark.parametrize(("source", "to"), [*product(JobStatus, JobStatus)])
async def test_a_job_moves_only_along_the_transitions(jobs, source, to):
    await jobs.insert(make_job(status=source, finished_at=NOW if source in TERMINAL else None))
    before = await jobs.get("job1")
    moved = await move(jobs, to)
    if to in TRANSITIONS[source]:
        assert moved.status is to
    else:
        assert moved is None
        assert await jobs.get("job1") == before


async def test_finish_can_be_narrowed_to_some_statuses(jobs):
    await jobs.insert(make_job())
    only_running = {"now": NOW, "allowed": {JobStatus.RUNNING}}
    assert await jobs.finish("job1", JobStatus.CANCELLED, **only_running) is None
    await jobs.claim("job1", lane="gpu1", now=NOW)
    assert await jobs.finish("job1", JobStatus.CANCELLED, **only_running)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
async def test_only_an_end_can_be_finished_with(jobs, status):
    with pytest.raises(ValueError, match="does not end a job"):
        await jobs.finish("job1", status, now=NOW)


async def test_of_twenty_who_claim_a_job_one_wins(jobs):
    await jobs.insert(make_job())
    claims = await asyncio.gather(*(jobs.claim("job1", lane=f"gpu{n}", now=NOW) for n in range(20)))
    winners = [job for job in claims if job]
    assert winners == [await jobs.get("job1")]


async def test_cancelling_and_finishing_at_once_has_one_winner(jobs):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    ends = [JobStatus.DONE, JobStatus.CANCELLED, JobStatus.FAILED] * 5
    outcomes = await asyncio.gather(*(jobs.finish("job1", end, now=NOW) for end in ends))
    assert [job.status for job in outcomes if job] == [(await jobs.get("job1")).status]


async def test_a_remote_id_is_noted_only_while_the_job_runs(jobs):
    await jobs.insert(make_job())
    assert not await jobs.set_remote_id("job1", "r1")
    await jobs.claim("job1", lane="gpu1", now=NOW)
    assert await jobs.set_remote_id("job1", "r1")
    await jobs.finish("job1", JobStatus.CANCELLED, now=NOW)
    assert not await jobs.set_remote_id("job1", "r2")
    assert (await jobs.get("job1")).remote_id == "r1"


async def test_a_result_is_delivered_once_and_its_reply_token_forgotten(jobs):
    await jobs.insert(make_job(origin=ORIGIN))
    assert not await jobs.set_delivered("job1", NOW), "it has not ended yet"
    await jobs.finish("job1", JobStatus.CANCELLED, now=NOW)
    delivered = await asyncio.gather(*(jobs.set_delivered("job1", LATER) for _ in range(5)))
    assert sorted(delivered) == [False] * 4 + [True]
    job = await jobs.get("job1")
    assert (job.delivered_at, job.origin.reply_token, job.origin.reply_token_until) == (LATER, "", None)


async def test_undelivered_are_the_ended_jobs_of_a_door_oldest_end_first(jobs):
    for number, job_id in enumerate(("late", "early", "given", "running")):
        await jobs.insert(make_job(job_id, second=number))
    await jobs.insert(make_job("elsewhere", origin={"door": "api"}))
    for job_id, seconds in (("late", 30), ("early", 10), ("given", 20), ("elsewhere", 5)):
        await jobs.finish(job_id, JobStatus.CANCELLED, now=NOW + timedelta(seconds=seconds))
    await jobs.set_delivered("given", NOW)
    assert [job.id for job in await jobs.undelivered("discord")] == ["early", "late"]
    assert [job.id for job in await jobs.undelivered("api")] == ["elsewhere"]


async def test_active_jobs_come_in_the_order_they_were_asked_for(jobs):
    for job_id, second, user in (("c", 2, "7"), ("b", 1, "8"), ("a", 2, "7"), ("ended", 0, "7")):
        await jobs.insert(make_job(job_id, second=second, origin={"user_id": user}))
    await jobs.finish("ended", JobStatus.EXPIRED, now=NOW)
    await jobs.claim("c", lane="gpu1", now=NOW)
    assert [job.id for job in await jobs.active()] == ["b", "a", "c"]
    assert [job.id for job in await jobs.active_for("discord:7")] == ["a", "c"]
    assert [job.id for job in await jobs.recent("discord:7", 2)] == ["c", "a"]


async def test_every_status_is_counted(jobs):
    for number in range(3):
        await jobs.insert(make_job(str(number)))
    await jobs.claim("0", lane="gpu1", now=NOW)
    counts = await jobs.count_by_status()
    assert counts == dict.fromkeys(JobStatus, 0) | {JobStatus.QUEUED: 2, JobStatus.RUNNING: 1}


async def test_the_reply_token_is_not_readable_on_the_disk(jobs, tmp_path):
    await jobs.insert(make_job(origin=ORIGIN))
    on_disk = bytes_on_disk(tmp_path)
    assert b"a red fox" in on_disk
    assert b"interaction-token" not in on_disk


async def test_with_another_key_the_job_is_still_good_but_its_reply_token_gone(jobs, database, caplog):
    await jobs.insert(make_job(origin=ORIGIN))
    job = await JobStore(database, SecretBox(Fernet.generate_key())).get("job1")
    assert (job.origin.reply_token, job.origin.reply_token_until) == ("", None)
    assert job.origin.message_id == "4"
    assert "reply token dropped" in caplog.text
    assert "interaction-token" not in caplog.text


@pytest.mark.parametrize("priority", Priority)
async def test_the_line_knows_who_goes_before_and_behind(jobs, database, priority):
    await jobs.insert(make_job(origin={"priority": priority}))
    assert (await jobs.line())[0].priority is priority
    await database.write("UPDATE jobs SET drawn_cost = NULL, priority = NULL")  # as older versions wrote it
    assert (await jobs.line())[0].priority is priority
    urgent = "json_set(json_remove(origin, '$.priority'), '$.is_urgent', json('true'))"
    await database.write(f"UPDATE jobs SET origin = {urgent}")
    assert (await jobs.line())[0].priority is Priority.HIGH
    assert (await jobs.get("job1")).origin.priority is Priority.HIGH
    await database.write("UPDATE jobs SET drawn_cost = 1, is_urgent = 1, origin = json_remove(origin, '$.is_urgent')")
    assert (await jobs.line())[0].priority is Priority.HIGH


async def test_what_a_newer_version_wrote_besides_is_passed_over(jobs, database):
    await jobs.insert(FULL_JOB)
    for column in ("origin", "request", "result", "error"):
        await database.write(f"UPDATE jobs SET {column} = json_set({column}, '$.of_the_future', 1)")
    assert await jobs.get("job1") == FULL_JOB


async def test_the_pace_of_a_lane_is_remembered_per_model(jobs):
    overall = LanePace(lane="gpu1", seconds_per_cost=0.5, samples=3)
    sdxl = LanePace(lane="gpu1", model="sdxl", seconds_per_cost=0.9, samples=1)
    for pace in (overall, sdxl, replace(sdxl, samples=2)):
        await jobs.save_pace(pace)
    assert await jobs.load_pace() == [overall, replace(sdxl, samples=2)]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (reading.GET, "sqlite_autoindex_jobs_1"),
        (reading.FIND, "sqlite_autoindex_jobs_1"),
        (reading.DUE_IN, "jobs_message"),
        (reading.IN_MESSAGE, "jobs_message"),
        (reading.ACTIVE, "jobs_active"),
        (reading.ACTIVE_FOR, "jobs_active_user"),
        (reading.LINE, "jobs_active"),
        (reading.RUNNING, "jobs_active"),
        (reading.ACTIVE_AT, "jobs_active"),
        (reading.ACTIVE_ON, "jobs_active"),
        (reading.UNSHOWN_AT, "jobs_active"),
        (reading.RUNNING_AT, "jobs_active"),
        (reading.GROUPED_AT, "jobs_active"),
        (reading.STREAM, "jobs_created"),
        (reading.REMOTE_IDS, "jobs_remote"),
        (reading.UNDELIVERED, "jobs_undelivered"),
        (reading.RECENT, "jobs_user"),
        (reading.COUNT_BY_STATUS, "jobs_status"),
        (sql.CLAIM, "sqlite_autoindex_jobs_1"),
        (sql.REQUEUE, "sqlite_autoindex_jobs_1"),
        (sql.FINISH, "sqlite_autoindex_jobs_1"),
        (sql.SET_REMOTE_ID, "sqlite_autoindex_jobs_1"),
        (sql.SET_DELIVERED, "sqlite_autoindex_jobs_1"),
    ],
)
async def test_an_index_is_used_and_nothing_is_sorted(jobs, database, statement, index):
    await jobs.insert(make_job())
    names = [*ELSEWHERE, "id", "allowed", "now", "status", "result", "error", "remote_id", "first", "after"]
    names += ["person", "is_here", "sees_all", "door", "before", "limit", "drawn_cost", "drawn_model"]
    params = dict.fromkeys(names) if ":" in statement else [None] * statement.count("?")
    plan = [row["detail"] for row in await database.fetch("EXPLAIN QUERY PLAN " + statement, params)]
    assert any(f"INDEX {index} " in step + " " for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


async def test_the_pictures_of_ended_jobs_are_named_and_of_no_others(jobs):
    for name in ("done", "failed", "running", "queued"):
        await jobs.insert(make_job(name))
    for name in ("done", "running"):
        await jobs.claim(name, lane="gpu1", now=NOW)
    await jobs.finish("done", JobStatus.DONE, now=LATER, result=RESULT)
    await jobs.finish("failed", JobStatus.FAILED, now=LATER, error=ERROR)
    named = await jobs.named_by_ended(["done", "failed", "running", "queued", "nobodys"])
    assert named == {"done": {"m1"}, "failed": set()}
