"""A data folder of an Easel that had ten steps (no intakes, outbox or seals yet), opened by this one.

The folder was filled by that Easel itself: jobs in every state, pictures, favourites, a collection, a template, a
workflow, an engine, a key, a session, a comparison and a webhook that had not been reached.
"""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from generation.job import JobStatus
from generation.person import Person
from services.library.gallery import GalleryService
from services.reports.webhooks import WebhookService
from services.web import make_access
from store.database import Database
from store.gallery import GalleryStore
from store.jobs import JobStore
from store.migrations import easel_steps
from store.preferences import PreferenceStore
from store.templates import TemplateStore
from store.webhooks import WebhookStore
from store.workflows import WorkflowStore
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, ShiftClock, job_id, more
from tests.fakes import FakeBackend
from tests.waiting import until
from utils.secrets import SecretBox

OLD = Path(__file__).parents[1] / "data" / "store" / "step_010"
MADE_AT = datetime(2026, 11, 28, 16, 20, tzinfo=UTC)  # a few minutes after: its pictures are a day's
FOX, OWLS, NIGHT, GARDEN, MILL = "5ceff670662f", "e77aca870f71", "a1c625fd0c75", "db3d44c3b9b3", "dc4608d59496"
MIA = Person(user_key="discord:1001")
API_KEY = "esl_4RWW565i-p42xDTlJOOERRIics9u8UGB23UGQMxEAnU"
SESSION = "eU5Ju2NaT9H120nCjjkTalABdZgi6SIWhMCuUxTjX6Q"


@pytest.fixture
async def easel(tmp_path: Path, discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch) -> Easel:
    """This Easel on that folder, at that time, with two engines of the same names."""
    for name in ("easel.sqlite3", "cache.sqlite3"):
        (tmp_path / name).write_bytes(gzip.decompress((OLD / f"{name}.gz").read_bytes()))
    (tmp_path / "secret.key").write_bytes((OLD / "secret.key").read_bytes())
    with closing(sqlite3.connect(tmp_path / "easel.sqlite3")) as raw:  # its channel is the one of this test
        raw.execute("UPDATE jobs SET channel_id = ? WHERE channel_id IS NOT NULL", (str(discord.channel.id),))
        raw.commit()
    monkeypatch.setattr(WebhookService, "run", lambda _: asyncio.Event().wait())  # its receiver is none of ours
    clock = ShiftClock()
    clock.offset_s = (MADE_AT - clock.now()).total_seconds()
    return await start(FakeBackend("one"), FakeBackend("two"), clock=clock)


def copy_of_old(tmp_path: Path) -> Path:
    path = tmp_path / "copy"
    path.write_bytes(gzip.decompress((OLD / "easel.sqlite3.gz").read_bytes()))
    return path


def rows_before(table: str, tmp_path: Path) -> int:
    with closing(sqlite3.connect(copy_of_old(tmp_path))) as raw:
        return int(raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_every_row_is_still_there(easel: Easel, tmp_path: Path) -> None:
    database = easel.now.database
    tables = ["jobs", "image_favorites", "image_collections", "collection_images", "prompt_templates", "preferences"]
    tables += ["workflows", "workflow_versions", "rentals", "comparisons", "api_keys", "sessions", "webhooks"]
    for table in tables:
        rows = await database.fetch(f"SELECT count(*) AS n FROM {table}")
        assert rows[0]["n"] == rows_before(table, tmp_path), table


async def test_every_job_is_read_and_what_was_left_is_drawn(easel: Easel) -> None:
    jobs = easel.now.jobs
    ids = [row["id"] for row in await easel.now.database.fetch("SELECT id FROM jobs")]
    assert len(ids) == 13
    for item in ids:
        assert (await jobs.get(item)) is not None
    for item in ("handwaiting0", "handrunning0"):
        await until(lambda item=item: done(easel, item))
    fox = await jobs.get(FOX)
    assert (fox.request.prompt, fox.request.negative_prompt, fox.request.seed) == ("a red fox in the snow", "blur", 812)
    assert (await jobs.get("hand00000000")).error.hint == "Try again."
    assert (await jobs.get(NIGHT)).request.init_image is not None
    assert (await jobs.get(GARDEN)).origin.private


async def done(easel: Easel, item: str) -> bool:
    return (await easel.now.jobs.get(item)).status is JobStatus.DONE


async def test_every_picture_is_shown_and_favourites_outlive_their_day(easel: Easel) -> None:
    media, gallery = easel.now.media, gallery_of(easel)
    old = await easel.now.database.fetch("SELECT media_id FROM generated_images WHERE job_id NOT LIKE 'hand%'")
    assert len(old) == 9
    for row in old:
        assert (await media.get(row["media_id"])).data.startswith(b"\x89PNG")
    page = await gallery.history(MIA)
    starred = {picture.id for picture in page.pictures if picture.is_favorite}
    assert starred == {f"{FOX}-1", f"{OWLS}-2"}
    (collection,) = await gallery.collections(MIA)
    assert (collection.name, collection.pictures) == ("Owls", 2)
    easel.clock.offset_s += timedelta(days=3).total_seconds()
    kept = [row["media_id"] for row in old if await media.get(row["media_id"]) is not None]
    assert len(set(kept)) == 3


async def test_what_was_sealed_is_opened_with_the_key_of_the_folder(tmp_path: Path) -> None:
    database = await Database.open(copy_of_old(tmp_path), migrations=easel_steps())
    waiting = await JobStore(database, SecretBox.open(OLD / "secret.key")).get("handwaiting0")
    assert waiting.origin.reply_token == "aW50ZXJhY3Rpb24tdG9rZW4"
    await database.close()


def gallery_of(easel: Easel) -> GalleryService:
    return GalleryService(store=GalleryStore(easel.now.database), media=easel.now.media, clock=easel.clock)


def row_of(answer: Message, job: str) -> None:
    """Give a message the buttons that an old one has, by the ids that Easel wrote then."""
    mine = job_id(answer)
    for control in answer.controls:
        control["custom_id"] = control["custom_id"].replace(mine, job)


@pytest.mark.parametrize("job", [FOX, OWLS, NIGHT, "hand00000000"])
async def test_the_buttons_under_an_old_picture_work(discord: DiscordServer, easel: Easel, job: str) -> None:
    answer = await easel.dream("!dream something else --backend one")
    row_of(answer, job)
    mia = discord.user("mia")
    for result in (await mia.click(answer, "Re-roll"), await more(mia, answer, "More steps")):
        again = await easel.finished(result.original)
        assert again.attachments
        before, after = await easel.now.jobs.get(job), await easel.now.jobs.get(job_id(again))
        assert after.request.prompt == before.request.prompt
    assert "```" in (await more(mia, answer, "Info")).message.content


async def test_what_people_had_set_up_is_as_they_left_it(easel: Easel, tmp_path: Path) -> None:
    database = easel.now.database
    box = SecretBox.open(tmp_path / "secret.key")
    assert (await PreferenceStore(database).get("user:1001")).steps == 12
    (template,) = await TemplateStore(database).visible("discord:1001")
    assert (template.name, template.prompt, template.is_shared) == ("Snow", "{thing} in the snow", True)
    (workflow,) = await WorkflowStore(database).of("user", "1001")
    assert (workflow.name, workflow.lines) == ("Portrait", ("prompt: 6.text", "seed: 3.seed"))
    entry = easel.now.registry.get("user-1001")
    assert (entry.config.url, entry.config.key) == ("https://gpu.example.com/", "mia:password")
    access = make_access(database, box, easel.clock)
    assert (await access.verify_key(API_KEY)).name == "phone"
    assert (await access.verify_session(SESSION)).user_id == "1001"
    (due,) = await WebhookStore(database, box).due(easel.clock.now() + timedelta(days=1), 9)
    assert (due.url, due.event, due.failures) == ("https://hooks.example.com/easel", "finished", 1)
