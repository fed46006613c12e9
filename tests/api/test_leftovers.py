"""A picture is shown while the result of its job names it: what a crash or a deletion left behind is not, and goes."""

import asyncio
from datetime import UTC, datetime

from tests.api.conftest import SMALL, held, png, site_at
from tests.jobs import make_job
from tests.waiting import until

FOX = {"prompt": "a fox"} | SMALL


async def left_behind(site, job_id: str) -> str:
    """Keep a picture as a process does that is killed before the job is done."""
    return await site.easel.cache.put(png(), media_type="image/png", job_id=job_id)


async def kept(site) -> set[str]:
    return {row["media_id"] for row in await site.easel.cache._fetch("SELECT media_id FROM media")}


async def test_a_picture_that_no_result_names_is_neither_shown_nor_drawn_from(site, client):
    job = await site.draw()
    media_id = await left_behind(site, job["id"])
    nobodys = await left_behind(site, "no-such-job")
    for lost in (media_id, nobodys):
        assert (await client.get(f"/api/media/{lost}")).status_code == 404
        refused = await client.post("/api/jobs", json=FOX | {"init_image": lost})
        assert (refused.status_code, refused.json()["field"]) == (400, "init_image")
    assert (await client.get(f"/api/media/{job['images'][0]['id']}")).status_code == 200


async def test_deleting_a_job_takes_every_picture_it_ever_drew(site, client):
    job, other = await site.draw(), await site.draw(seed=6)
    await left_behind(site, job["id"])
    assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    assert await kept(site) == {other["images"][0]["id"]}
    assert (await client.get(f"/api/media/{job['images'][0]['id']}")).status_code in (404, 410)


async def test_what_a_crash_left_behind_is_gone_after_the_next_start(tmp_path):
    async with site_at(tmp_path) as site:
        job = await site.draw()
        upload = await site.client.post("/api/uploads", content=png())
        left = await left_behind(site, job["id"])
        nobodys = await left_behind(site, "no-such-job")  # of a database that was lost and may come back
    async with site_at(tmp_path) as site:

        async def is_gone() -> bool:
            return left not in await kept(site)

        await until(is_gone)
        assert await kept(site) == {job["images"][0]["id"], upload.json()["media_id"], nobodys}


async def test_a_job_that_is_drawn_again_after_a_crash_keeps_one_set_of_pictures(tmp_path):
    job = make_job(lane="sketch", created_at=datetime.now(UTC))
    async with site_at(tmp_path) as site:
        store = site.easel.services.generation._jobs
        await store.insert(job)
        assert await store.claim(job.id, lane="sketch", now=job.created_at)
        before = await left_behind(site, job.id)
    async with site_at(tmp_path) as site:
        again = await site.ended(job.id)
        assert again["status"] == "done"
        assert await kept(site) == {again["images"][0]["id"]} != {before}


async def test_deleting_a_job_that_is_done_at_that_moment_takes_its_pictures(site, client, monkeypatch):
    cancel = site.easel.queue.cancel

    async def too_late(job_id: str):
        await site.ended(job_id)
        return await cancel(job_id)

    monkeypatch.setattr(site.easel.queue, "cancel", too_late)
    with held(site):
        job_id = (await client.post("/api/jobs", json=FOX)).json()["jobs"][0]["id"]
        deleting = asyncio.create_task(client.delete(f"/api/jobs/{job_id}"))
        await asyncio.sleep(0.02)
    assert (await deleting).status_code == 204
    assert (await client.get(f"/api/jobs/{job_id}")).json()["status"] == "done"
    assert await kept(site) == set()
