"""The check of finished pictures at the HTTP doors: words in place of a picture."""

import pytest

from backends.kind import CheckKind
from tests.api.conftest import site_at
from tests.fakes import FakeCheck

HELD_BACK = "The picture was held back: the picture check takes what it shows for not safe for work."


@pytest.fixture
async def checked(tmp_path, monkeypatch):
    """Easel with the check switched on; it takes the first picture for not safe for work."""
    kind = CheckKind(make=lambda: FakeCheck(0.97), is_there=lambda: True, absent_hint="")
    for place in ("config.picture_check", "app.build.picture_check"):
        monkeypatch.setattr(place, lambda: kind)
    async with site_at(tmp_path, ENABLE_NSFW_FILTER="true") as site:
        yield site


async def test_a_job_of_the_studio_fails_in_words(checked):
    job = await checked.draw()
    assert job["status"] == "failed"
    assert (job["error"]["code"], job["error"]["message"]) == ("content_blocked", HELD_BACK)
    assert "can be wrong" in job["error"]["hint"]
    assert not (await checked.client.get("/api/gallery")).json()["pictures"]
    assert (await checked.draw())["status"] == "done"


async def test_a_door_of_another_system_says_it_too(checked):
    answer = await checked.client.post("/v1/images/generations", json={"prompt": "a red fox", "size": "64x64"})
    assert answer.status_code >= 400
    assert HELD_BACK in answer.text


async def test_of_several_pictures_the_others_are_there(checked):
    job = await checked.draw(batch_size=2)
    assert (job["status"], len(job["images"])) == ("done", 1)
    assert any(note.startswith("1 picture was held back") for note in job["notes"])
