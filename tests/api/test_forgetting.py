"""Words go when they should, from every table and every byte of the files; the rest is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from backends.registry import Owner
from generation.errors import RequestRejected
from generation.job import JobStatus, Origin
from generation.order import Order, OrderKind
from generation.person import Person
from generation.request import Draft
from services.engines.connections import lane_of
from store.preferences import PreferenceStore
from tests.api.conftest import HERE, add_second_sketch, held, site_at
from tests.store.conftest import count

MARK = "xylograph"  # stands in everything that is said here, and in nothing else
DAY = timedelta(days=1)
SAID = {"prompt": f"a {MARK} of a fox", "negative_prompt": f"no {MARK}s"}


class LaterClock:
    """A clock that is ahead of another one."""

    def __init__(self, clock, ahead):
        self._clock = clock
        self._ahead = ahead

    def now(self):
        return self._clock.now() + self._ahead


def forgetting_of(site):
    return site.easel.services.records.forgetting


async def prune_after(site, ahead):
    """Sweep pictures, then words, as if so much time had passed; return of how many jobs words went."""
    parts = (site.easel.cache, forgetting_of(site))
    clock = parts[0]._clock
    for part in parts:
        part._clock = LaterClock(clock, ahead)
    try:
        await site.easel.cache.sweep()
        return await forgetting_of(site).prune()
    finally:
        for part in parts:
            part._clock = clock


async def places_of(site, mark=MARK):
    """Return the tables and columns that hold the word, and the files whose bytes do."""
    found = []
    for database in (site.easel.database, site.easel.cache._database):
        tables = await database.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        for table in [row["name"] for row in tables]:
            for row in await database.fetch(f"SELECT * FROM {table}"):
                found += [f"{table}.{column}" for column in row.keys() if mark in str(row[column])]  # noqa: SIM118
        await database.shrink()
    for path in site.easel.settings.storage.data_dir.rglob("*"):
        if path.is_file() and mark.encode() in path.read_bytes():
            found.append(path.name)
    return sorted(set(found))


async def test_deleting_a_job_takes_its_words_out_of_every_table_and_file(site):
    job = await site.draw(**SAID, is_private=True)
    assert "jobs.request" in await places_of(site)
    assert (await site.client.delete(f"/api/jobs/{job['id']}")).status_code < 300
    assert await places_of(site) == []
    kept = await site.easel.services.generation.find(job["id"])
    assert kept.status is JobStatus.DONE
    assert kept.words_gone_at is not None


async def test_deleting_a_job_that_waits_takes_its_words_too(site):
    with held(site):
        answer = await site.client.post("/api/jobs", json={**SAID, "width": 64, "height": 64})
        job_id = answer.json()["jobs"][0]["id"]
        await site.easel.services.generation.delete(job_id, Person(user_key="api:local"))
        assert await places_of(site) == []


async def test_deleting_the_last_picture_in_the_gallery_takes_the_words(site):
    job = await site.draw(**SAID, batch_size=2)
    for number in (1, 2):
        assert "jobs.request" in await places_of(site)
        assert (await site.client.delete(f"/api/gallery/{job['id']}-{number}")).status_code < 300
    assert await places_of(site) == []


async def test_private_words_go_with_their_picture_and_others_stay(site):
    private = await site.draw(**SAID, is_private=True)
    public = await site.draw(prompt="a red fox on a hill")
    assert await prune_after(site, DAY - timedelta(minutes=1)) == 0
    assert await prune_after(site, DAY + timedelta(minutes=1)) == 1
    assert await places_of(site) == []
    jobs = [await site.easel.services.generation.find(job["id"]) for job in (private, public)]
    assert [job.request.prompt for job in jobs] == ["", "a red fox on a hill"]
    assert await prune_after(site, DAY + timedelta(minutes=2)) == 0


async def test_private_words_of_a_kept_picture_stay_until_it_is_let_go(site):
    job = await site.draw(**SAID, is_private=True)
    star = f"/api/favorites/{job['id']}-1"
    assert (await site.client.put(star)).status_code < 300
    assert await prune_after(site, 3 * DAY) == 0
    assert (await site.client.delete(star)).status_code < 300
    assert await prune_after(site, 3 * DAY) == 1


async def test_words_that_failed_go_too(site):
    backend = site.easel.registry.get("sketch").backend

    async def refuse(request, report):
        raise RequestRejected(f"“{request.prompt}” is nothing to draw.")

    generate, backend.generate = backend.generate, refuse
    await site.draw(**SAID, is_private=True)
    backend.generate = generate
    assert "jobs.error" in await places_of(site)
    assert await prune_after(site, 2 * DAY) == 1
    assert await places_of(site) == []


async def test_a_time_for_all_words_is_kept(tmp_path):
    async with site_at(tmp_path, WORDS_TTL="72h") as site:
        await site.draw(**SAID)
        assert await prune_after(site, 2 * DAY) == 0
        assert await prune_after(site, 3 * DAY + timedelta(minutes=1)) == 1
        assert await places_of(site) == []


async def test_a_time_for_the_history_takes_jobs_and_entries_but_neither_favourites_nor_figures(tmp_path):
    async with site_at(tmp_path, HISTORY_TTL="72h") as site:
        gone, kept = await site.draw(**SAID), await site.draw(prompt="a grey wolf")
        assert (await site.client.put(f"/api/favorites/{kept['id']}-1")).status_code < 300
        assert await prune_after(site, 2 * DAY) == 0
        assert await prune_after(site, 3 * DAY + timedelta(minutes=1)) == 1
        assert await site.easel.jobs.get(gone["id"]) is None
        assert await site.easel.jobs.get(kept["id"]) is not None
        rows = await site.easel.database.fetch("SELECT job_id FROM generated_images")
        assert [row["job_id"] for row in rows] == [kept["id"]]
        assert (await site.easel.database.fetch("SELECT sum(number) FROM picture_counts"))[0][0] == 1
        [figures] = await site.easel.database.fetch("SELECT sum(generations) AS jobs FROM image_generation_stats")
        assert figures["jobs"] == 2
        assert await prune_after(site, 4 * DAY) == 0


async def test_a_picture_whose_words_are_gone_says_so_and_takes_new_ones(site):
    job = await site.draw(**SAID, is_private=True)
    await prune_after(site, 2 * DAY)
    generation = site.easel.services.generation
    origin = Origin(door="api", user_id="local")
    with pytest.raises(RequestRejected, match="has been deleted"):
        await generation.again(job["id"], origin)
    view = await generation.again(job["id"], origin, Draft(prompt="a blue fox"))
    assert (view.job.request.prompt, view.job.request.width) == ("a blue fox", 64)
    await site.ended(view.job.id)


async def test_pruning_takes_thousands_in_small_bites(site):
    job = await site.draw(**SAID, is_private=True)
    columns = [row["name"] for row in await site.easel.database.fetch("PRAGMA table_info(jobs)")]
    others = ", ".join(column for column in columns if column != "id")
    copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)"
    await site.easel.database.write(
        f"{copies} INSERT INTO jobs (id, {others}) SELECT id || '-' || i, {others} FROM jobs, n WHERE id = ?",
        (job["id"],),
    )
    assert await prune_after(site, 2 * DAY) == 451
    assert await places_of(site) == []


async def test_forget_me_takes_everything_of_a_person_and_nothing_of_others(site):
    mia, ann = await site.session_client("discord:1", f"Mia {MARK}"), await site.session_client("discord:2", "Ann")
    mine, other = await site.draw(mia, **SAID), await site.draw(ann, prompt="a red fox of Ann's")
    await mia.put(f"/api/favorites/{mine['id']}-1")
    await ann.put(f"/api/favorites/{mine['id']}-1")
    await mia.post("/api/templates", json={"name": MARK, "prompt": MARK, "negative_prompt": MARK, "is_shared": True})
    await mia.post("/api/collections", json={"name": MARK, "description": MARK})
    program = await site.key_client("read", "generate", user_key="discord:1")
    await site.draw(program, **SAID, is_private=True, seed=6)
    with held(site):
        waiting = await mia.post("/api/jobs", json={**SAID, "width": 64, "height": 64})
        assert waiting.status_code == 202
        answer = await mia.post("/api/me/forget", json={"confirm": "forget me"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"jobs": 3, "pictures": 2}
    assert await places_of(site) == []
    assert await places_of(site, "discord:1") == []
    assert (await mia.get("/api/jobs")).status_code == 401
    assert (await program.get("/api/jobs")).status_code == 401
    pictures = (await ann.get("/api/gallery", params={"everybody": "true"})).json()["pictures"]
    assert [picture["job_id"] for picture in pictures] == [other["id"]]
    assert (await ann.get(f"/api/jobs/{other['id']}")).json()["request"]["prompt"] == "a red fox of Ann's"
    rows = await site.easel.database.fetch("SELECT sum(images) AS images FROM image_generation_stats")
    assert rows[0]["images"] == 3, "figures stay"


@pytest.mark.parametrize("body", [{}, {"confirm": "yes"}, {"confirm": True}])
async def test_forget_me_needs_its_word(site, body):
    await site.draw(prompt="a red fox")
    assert (await site.client.post("/api/me/forget", json=body)).status_code == 422
    assert (await site.client.get("/api/gallery")).json()["pictures"]


async def test_a_link_from_discord_may_not_delete_everything(site):
    link = site.easel.web.access.sign_in_link("discord:1", "Mia", 3600)
    visitor = site.visitor(cookies={"easel_link": link}, headers={"Origin": HERE})
    answer = await visitor.post("/api/me/forget", json={"confirm": "forget me"})
    assert answer.status_code == 403


async def test_forget_me_again_after_a_failure_finishes_it(site, monkeypatch):
    mia = await site.session_client("discord:1", "Mia")
    for _ in range(3):
        await site.draw(mia, **SAID)
    forgetting = forgetting_of(site)
    disown = forgetting._store.disown

    async def fail(*_, **__):
        raise OSError("pulled the plug")

    monkeypatch.setattr(forgetting._store, "disown", fail)
    with pytest.raises(OSError, match="plug"):
        await forgetting.forget_person("discord:1")
    monkeypatch.setattr(forgetting._store, "disown", disown)
    await forgetting.forget_person("discord:1")
    assert await places_of(site) == []


async def test_space_is_given_back(site):
    big = f"{MARK} " * 400
    for _ in range(40):
        await site.draw(prompt=big, is_private=True)
    path = site.easel.settings.storage.data_dir / "easel.sqlite3"
    await site.easel.database.shrink()
    before = path.stat().st_size
    await prune_after(site, 2 * DAY)
    assert path.stat().st_size < before - 40 * len(big)


COMPARED = Draft(prompt=SAID["prompt"], negative_prompt=SAID["negative_prompt"], width=64, height=64, steps=4)


async def test_the_name_of_an_own_engine_is_forgotten_too(site):
    owner = Owner(kind="user", id="111122223333444455")
    sketch = site.easel.registry.get("sketch")
    config = replace(sketch.config, name=lane_of(owner), label=f"Mia {MARK}'s Forge")
    site.easel.registry.add(replace(sketch, config=config, owner=owner, is_fallback=False))
    mia = await site.session_client("discord:111122223333444455", "Mia")
    job = await site.draw(mia, prompt="a fox", backend=lane_of(owner))
    assert "jobs.lane" in await places_of(site, lane_of(owner))
    assert "generated_images.engine" in await places_of(site)
    await forgetting_of(site).forget_person("discord:111122223333444455")
    assert [place for place in await places_of(site) if "media" not in place and "cache" not in place] == []
    assert await places_of(site, lane_of(owner)) == []
    assert (await site.easel.services.generation.find(job["id"])).lane.startswith("user-"), "whose kind it was stays"


async def test_what_a_forgotten_person_kept_of_others_expires_again(site):
    mia, ann = await site.session_client("discord:1", "Mia"), await site.session_client("discord:2", "Ann")
    starred, collected = [await site.draw(ann, prompt=f"a fox {number}", seed=number) for number in (1, 2)]
    await mia.put(f"/api/favorites/{starred['id']}-1")
    made = (await mia.post("/api/collections", json={"name": "mine"})).json()
    assert (await mia.put(f"/api/collections/{made['id']}/pictures/{collected['id']}-1")).status_code < 300
    assert len(await site.easel.cache.pinned()) == 2
    await forgetting_of(site).forget_person("discord:1")
    assert await site.easel.cache.pinned() == set()
    await prune_after(site, DAY + timedelta(minutes=1))
    assert await count(site.easel.cache) == 0


async def test_an_answer_from_the_cache_says_that_its_picture_was_forgotten(site):
    mia, ann = await site.session_client("discord:1", "Mia"), await site.session_client("discord:2", "Ann")
    first, twin = await site.draw(mia, prompt="a fox"), await site.draw(ann, prompt="a fox")
    assert twin["images"][0]["id"] == first["images"][0]["id"]
    assert (await ann.put(f"/api/favorites/{twin['id']}-1")).status_code < 300
    await forgetting_of(site).forget_person("discord:1")
    shown = (await ann.get(f"/api/jobs/{twin['id']}")).json()["images"][0]
    assert shown["is_gone"], shown
    assert (await ann.get("/api/gallery", params={"favorites": "true"})).json()["pictures"] == []


async def test_a_comparison_that_nobody_came_to_show_is_forgotten_with_its_person(site):
    origin = Origin(door="discord", user_id="1", user_name=f"Mia {MARK}", channel_id="9", private=True)
    with held(site):
        await compared(site, origin)
        assert "comparisons.prompt" in await places_of(site)
        await forgetting_of(site).forget_person("discord:1")
    assert await places_of(site) == []


async def test_words_of_a_comparison_go_with_the_last_of_its_jobs(site):
    comparison = await compared(site, Origin(door="discord", user_id="1", channel_id="9"))
    first, last = comparison.job_ids
    for job_id in comparison.job_ids:
        await site.ended(job_id)
    await forgetting_of(site).forget_words(first)
    assert "comparisons.prompt" in await places_of(site)
    await forgetting_of(site).forget_words(last)
    assert [place for place in await places_of(site) if "." in place and "media" not in place] == ["cache.sqlite3"]


async def test_words_that_were_taken_in_at_a_door_that_stays_closed_go_too(site):
    order = Order(kind=OrderKind.DRAW, draft=Draft(**SAID))
    origin = Origin(door="discord", user_id="1", user_name=MARK, private=True)
    assert await site.easel.services.intakes.take("11", order, origin)
    await prune_after(site, DAY + timedelta(minutes=1))
    assert "intakes.said" in await places_of(site), "who comes back after a day is still told"
    await prune_after(site, 2 * DAY + timedelta(minutes=1))
    assert await places_of(site) == []


async def test_what_a_person_always_wants_is_forgotten_too(site):
    preferences = PreferenceStore(site.easel.database)
    for user_id in ("1", "2"):
        await preferences.set(f"user:discord:{user_id}", Draft(negative_prompt=f"{MARK} of {user_id}"))
    await forgetting_of(site).forget_person("discord:1")
    assert await places_of(site, f"{MARK} of 1") == []
    assert "preferences.draft" in await places_of(site, f"{MARK} of 2")


async def compared(site, origin):
    """Begin a comparison of the sketch engine with itself under another name."""
    add_second_sketch(site)
    return await site.easel.services.compare.start(COMPARED, origin, ("sketch", "other"))
