"""The policy of who may see and change a job: the rule as a table, and the lists in SQL held to it over random jobs."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from generation.errors import NotAllowed
from generation.job import Job, JobStatus, Origin
from generation.person import Person
from generation.policy import (
    check_change,
    is_listed,
    may_change,
    may_read_timeline,
    may_remove,
    may_see,
    may_see_prompt,
    may_use,
)
from services.library.gallery import PictureFilter
from store.gallery import GalleryStore
from store.jobs import JobStore
from store.templates import TemplateStore
from tests.cogs.samples import JOB, NOW, result
from tests.people import visitor
from tests.store.ready import open_database
from utils.secrets import SecretBox

DISCORD = Origin(door="discord", user_id="1", guild_id="g", channel_id="c")
STUDIO = Origin(door="discord", user_id="1", guild_id="g", channel_id="c", via="studio")
API = Origin(door="api", user_id="1", account="discord:1")
CONSOLE = Origin(door="console", user_id="local", account="api:local")

OWNER, OWNER_ELSEWHERE = Person(user_key="discord:1", channel_id="c"), Person(user_key="discord:1", channel_id="x")
OWNER_IN_BROWSER = Person(user_key="discord:1", door="api")
HERE = Person(user_key="discord:2", channel_id="c")
MODERATOR = replace(HERE, is_moderator=True)
ELSEWHERE = Person(user_key="discord:2", channel_id="x")
MODERATOR_ELSEWHERE = replace(ELSEWHERE, is_moderator=True)
IN_BROWSER = Person(user_key="discord:2", door="api")
READER_ELSEWHERE = replace(ELSEWHERE, rooms=frozenset({"c"}))
ADMIN = Person(user_key="discord:2", door="api", scopes=frozenset({"admin"}))
BY_LINK = replace(IN_BROWSER, job_id=JOB.id)

# who: (sees, changes) for each job
SEES, CHANGES, NOTHING = (True, False), (True, True), (False, False)
RULE = {
    "of Discord": (
        DISCORD,
        {OWNER: CHANGES, OWNER_ELSEWHERE: CHANGES, OWNER_IN_BROWSER: CHANGES, HERE: SEES, MODERATOR: CHANGES,
         ELSEWHERE: NOTHING, READER_ELSEWHERE: SEES,
         MODERATOR_ELSEWHERE: NOTHING, IN_BROWSER: NOTHING, ADMIN: CHANGES, BY_LINK: SEES},
    ),
    "of Discord, asked for in the studio": (
        STUDIO,
        {OWNER: CHANGES, OWNER_IN_BROWSER: CHANGES, HERE: SEES, MODERATOR: CHANGES, ELSEWHERE: NOTHING,
         IN_BROWSER: NOTHING, ADMIN: CHANGES, BY_LINK: SEES},
    ),
    "of the API": (
        API,
        {OWNER: CHANGES, OWNER_IN_BROWSER: CHANGES, HERE: NOTHING, MODERATOR: NOTHING, ELSEWHERE: NOTHING,
         IN_BROWSER: SEES, ADMIN: CHANGES, BY_LINK: SEES},
    ),
    "of the console": (
        CONSOLE,
        {Person(user_key="api:local"): CHANGES, HERE: NOTHING, MODERATOR: NOTHING, IN_BROWSER: NOTHING, ADMIN: CHANGES},
    ),
}  # fmt: skip


@pytest.mark.parametrize("job", RULE)
def test_who_sees_and_changes_what_was_made_in_the_open(job: str) -> None:
    origin, rule = RULE[job]
    made = replace(JOB, origin=origin)
    for actor, expected in rule.items():
        assert (may_see(actor, made), may_change(actor, made)) == expected, actor


@pytest.mark.parametrize("job", RULE)
def test_a_private_one_is_its_owners_and_nobody_elses(job: str) -> None:
    origin, rule = RULE[job]
    made = replace(JOB, origin=replace(origin, private=True))
    for actor in rule:
        is_own = actor.user_key == made.user_key
        sees = is_own or actor.job_id == made.id  # a ticket was given out to its owner
        assert (may_see(actor, made), may_change(actor, made), may_use(actor, made)) == (sees, is_own, sees), actor


def test_a_timeline_is_its_owners_and_of_admins_who_see_the_job() -> None:
    open_one = replace(JOB, origin=DISCORD)
    secret = replace(JOB, origin=replace(DISCORD, private=True))
    manager, manager_elsewhere = replace(HERE, is_manager=True), replace(ELSEWHERE, is_manager=True)
    people = (OWNER, OWNER_ELSEWHERE, OWNER_IN_BROWSER, ADMIN, manager, HERE, MODERATOR, manager_elsewhere, BY_LINK)
    assert [person for person in people if may_read_timeline(person, open_one)] == [*people[:5]]
    assert [person for person in people if may_read_timeline(person, secret)] == [*people[:3]]


def test_who_only_looks_is_told_who_may_change() -> None:
    with pytest.raises(NotAllowed, match="moderators may delete it"):
        check_change(HERE, replace(JOB, origin=DISCORD), "delete")
    check_change(MODERATOR, replace(JOB, origin=DISCORD), "delete")


def _random_jobs(chance: random.Random) -> list[Job]:
    people = ["1", "2", "3"]
    jobs = []
    for number in range(60):
        door = chance.choice(["api", "discord", "console", "bus"])
        person = chance.choice(people)
        origin = Origin(
            door=door,
            user_id=person,
            private=chance.random() < 0.4,
            account=chance.choice(["", f"discord:{person}", f"api:{person}"]),
            channel_id=chance.choice([None, "c", "d"]) if door == "discord" else None,
        )
        image = replace(result().images[0], media_id=f"media{number}")
        made = NOW + timedelta(seconds=number)
        jobs.append(
            replace(
                JOB,
                id=f"{number:012x}",
                origin=origin,
                status=JobStatus.DONE,
                result=replace(result(), images=(image,)),
                created_at=made,
                finished_at=made,
            )
        )
    return jobs


def _random_person(chance: random.Random) -> Person:
    door = chance.choice(["api", "api", "discord", "console", "bus"])
    return Person(
        user_key=f"{chance.choice(['api', 'discord', 'console', 'bus'])}:{chance.choice('12349')}",
        door=chance.choice(["", door]),
        channel_id=chance.choice([None, "c", "d"]) if door == "discord" else None,
        scopes=frozenset(chance.sample(["read", "generate", "admin"], chance.randint(0, 3))),
        is_moderator=chance.random() < 0.3,
        rooms=frozenset(chance.sample(["c", "d", "e"], chance.randint(0, 2))),
    )


def _listed(person: Person, job: Job) -> bool:
    """The rule for lists in other words: your own, and at the HTTP door what else may be seen there without a link."""
    is_own = person.user_key == job.user_key
    is_in_a_room = person.door == job.origin.door and job.origin.channel_id in person.rooms and not job.origin.private
    return is_own or is_in_a_room or (person.door == "api" and may_see(replace(person, job_id=""), job))


@pytest.mark.parametrize("seed", range(5))
async def test_the_lists_hold_exactly_what_the_rule_allows(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    jobs = _random_jobs(chance)
    database = await open_database(tmp_path / "easel.sqlite3")
    try:
        store, gallery = JobStore(database, SecretBox(Fernet.generate_key())), GalleryStore(database)
        for job in jobs:
            await store.insert(job)
        people = [visitor(key) for key in ("discord:1", "discord:2", "api:1", "api:3", "discord:9")]
        people += [visitor(person.user_key, is_admin=True) for person in people]
        people += [_random_person(chance) for _ in range(60)]
        for person in people:
            expected = {job.id for job in jobs if is_listed(person, job)}
            assert expected == {job.id for job in jobs if _listed(person, job)}, person
            assert {job.id for job in await store.stream(person, limit=100, before="")} == expected, person
            found = await gallery.history(person, wanted=PictureFilter(), limit=100)
            assert {picture.job_id for picture in found} == expected, person
            assert (await gallery.count(person, wanted=PictureFilter())).number == len(expected), person
            for job in chance.sample(jobs, 10):
                assert (await gallery.picture(f"{job.id}-1", person) is not None) is (job.id in expected), person
    finally:
        await database.close()


async def test_a_persons_prompts_are_those_that_the_rule_shows(tmp_path: Path) -> None:
    chance = random.Random(7)
    database = await open_database(tmp_path / "easel.sqlite3")
    try:
        store = TemplateStore(database)
        saved = []
        for number in range(60):
            owner, is_shared = f"api:{chance.choice('1234')}", chance.random() < 0.4
            text = {"name": f"n{number}", "prompt": "a fox", "negative_prompt": "", "description": ""}
            saved.append(await store.add(owner, f"t{number}", text | {"is_shared": is_shared}, NOW))
        for person in [_random_person(chance) for _ in range(40)]:
            seen = {item.id for item in saved if may_see_prompt(person, item.user_key, is_shared=item.is_shared)}
            assert {item.id for item in await store.visible(person.user_key)} == seen, person
            for item in saved:
                assert (await store.get(person.user_key, item.id) is not None) is (item.id in seen), person
    finally:
        await database.close()


def test_a_moderator_of_a_channel_removes_nothing_from_lists() -> None:
    assert not may_remove(MODERATOR, "discord:1")
    assert may_remove(OWNER, "discord:1")
    assert may_remove(ADMIN, "discord:1")


OWN_USE = {  # a job that was asked for or looked up by `visible` just before, or one behind a picture
    "cogs/jobs/messages.py", "api/sight.py", "api/dialects/responses.py", "api/dialects/job_queue.py",
    "api/routes/gallery.py", "api/routes/jobs.py", "cogs/enhancing/cog.py",
}  # fmt: skip


def test_no_door_fetches_a_job_past_the_rule() -> None:
    root = Path(__file__).parents[2]
    files = [path for door in ("cogs", "api") for path in (root / door).rglob("*.py")]
    past = {
        path.relative_to(root).as_posix()
        for path in files
        if re.search(r"(generation|_service)\.(get|find)\(", path.read_text(encoding="utf-8"))
    }
    assert past <= OWN_USE
