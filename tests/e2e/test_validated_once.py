"""From whatever door it comes, a draft is checked against its ranges once on its way to the engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import main
from generation import options
from generation.errors import RequestRejected
from generation.job import JobView
from generation.options import as_checked, validate
from generation.request import Draft, SourceImage
from queue_manager import QueueManager
from tests.api.conftest import SMALL, site_at
from tests.e2e.conftest import StartEasel
from tests.e2e.pictures import rich_backend
from tests.test_cli import folder as folder  # a fixture


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Draft]:
    """Every draft that is looked at on the way to the queue, in order."""
    seen: list[Draft] = []
    on_their_way: list[Draft] = []
    check, commit = options._check, QueueManager.submit_all

    def watched(draft: Draft) -> None:
        on_their_way.append(draft)
        check(draft)

    async def committed(self: QueueManager, jobs: Any, also: Any = ()) -> list[JobView]:
        seen.extend(on_their_way)
        on_their_way.clear()
        return await commit(self, jobs, also)

    monkeypatch.setattr(options, "_check", watched)
    monkeypatch.setattr(QueueManager, "submit_all", committed)
    return seen


async def test_a_message_in_discord_is_checked_once_for_all_engines(start: StartEasel, checked: list[Draft]) -> None:
    easel = await start(rich_backend("one"), rich_backend("two"))
    checked.clear()
    await easel.dream("!dream a red fox --size 256x256 --seed 42 --steps 20")
    assert [draft.steps for draft in checked] == [20]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/jobs", SMALL | {"prompt": "a red fox"}),
        ("/generate/text2img", SMALL | {"prompt": "a red fox"}),
        ("/v1/images/generations", {"prompt": "a red fox", "size": "256x256"}),
        ("/v1/generate-image", {"prompt": "a red fox", "width": 256, "height": 256}),
    ],
)
async def test_a_request_over_http_is_checked_once(tmp_path, checked: list[Draft], path: str, body: object) -> None:
    async with site_at(tmp_path) as site:
        checked.clear()
        assert (await site.client.post(path, json=body)).status_code in (200, 202)
        assert [draft.prompt for draft in checked if draft.prompt] == ["a red fox"]


async def test_words_with_options_over_http_are_checked_once(tmp_path, checked: list[Draft]) -> None:
    async with site_at(tmp_path) as site:
        checked.clear()
        answer = await site.client.post("/api/jobs", json={"text": "a red fox --size 64x64 --steps 4"})
        assert answer.status_code == 202
        assert len(checked) == 1


def test_a_line_of_the_console_is_checked_once(folder: Path, checked: list[Draft]) -> None:
    assert main.main(["generate", "a red fox", "--size", "64x64", "--steps", "2", "-o", "a.png"]) == 0
    assert [draft.prompt for draft in checked] == ["a red fox"]


def test_a_draft_is_checked_again_as_soon_as_a_value_is_another() -> None:
    draft = Draft(prompt="a fox", steps=20)
    validate(draft)
    picture = Draft(prompt="a fox", steps=20, init_image=SourceImage(media_id="a"))
    assert as_checked(picture, draft).is_valid, "no range is set for a picture"
    for changed in (Draft(prompt="a fox", steps=9999), Draft(prompt="x" * 99_999), Draft(prompt="a fox", width=1)):
        assert not as_checked(changed, draft).is_valid
        with pytest.raises(RequestRejected):
            validate(changed)


def test_a_size_that_was_its_pictures_is_checked_where_somebody_says_it() -> None:
    draft = Draft(prompt="a fox", width=99_999, height=99_999, is_source_size=True)
    validate(draft)
    with pytest.raises(RequestRejected):
        validate(as_checked(Draft(prompt="a fox", width=99_999, height=99_999), draft))


def test_what_was_never_checked_proves_nothing() -> None:
    assert not as_checked(Draft(prompt="a fox"), Draft(prompt="a fox")).is_valid
