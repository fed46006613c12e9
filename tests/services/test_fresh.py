"""Pictures that were just stored are shown from memory once, and never after they were deleted."""

import pytest

from services.pictures.fresh import FRESH_BYTES, FreshPictures
from store.image_cache import Media
from tests.fakes import FakeClock

NOW = FakeClock().now()


def media(size: int = 10, job_id: str = "a") -> Media:
    return Media(data=b"x" * size, media_type="image/png", expires_at=NOW, job_id=job_id, kind="output")


async def test_a_picture_is_taken_once() -> None:
    fresh = FreshPictures()
    fresh.add("1", media())
    assert fresh.take("1") == media()
    assert fresh.take("1") is None


@pytest.mark.parametrize("how", ["picture", "job"])
async def test_what_was_deleted_is_not_there(how: str) -> None:
    fresh = FreshPictures()
    fresh.add("1", media(job_id="a"))
    fresh.add("2", media(job_id="b"))
    if how == "job":
        fresh.forget_job("a")
    else:
        fresh.forget(["1"])
    assert fresh.take("1") is None
    assert fresh.take("2")


async def test_memory_holds_only_the_newest() -> None:
    fresh = FreshPictures()
    for number in range(3):
        fresh.add(str(number), media(FRESH_BYTES // 2))
    assert fresh.take("0") is None
    assert fresh.take("2")
    fresh.add("huge", media(FRESH_BYTES + 1))
    assert fresh.take("huge") is None
