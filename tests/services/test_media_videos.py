"""Videos in the media store: kept as they are, and shown as a still wherever only pictures can be."""

from dataclasses import replace

import pytest

from generation.errors import RequestRejected
from generation.request import Mode, SourceImage
from scheduling.frames import unframed
from services.pictures.media import MediaService
from tests.services.conftest import DAY_S
from tests.services.test_media import REQUEST, job_of, result_of
from tests.utils.pictures import noise, opened, picture
from tests.utils.videos import MP4, WEBM


@pytest.fixture
def media(cache, clock):
    return MediaService(cache, clock, DAY_S)


async def test_a_video_is_kept_byte_for_byte_with_its_measures(media):
    kept = await media.keep(job_of(), result_of(MP4, WEBM), 1.0)
    assert [(item.width, item.height, item.media_type, item.is_video) for item in kept.images] == [
        (96, 64, "video/mp4", True), (96, 64, "video/webm", True),
    ]  # fmt: skip
    assert [(await media.get(item.media_id)).data for item in kept.images] == [MP4, WEBM]
    assert kept.notes == ()


async def test_a_video_that_is_cut_off_is_told_of_like_a_picture(media):
    kept = await media.keep(job_of(), result_of(MP4, WEBM[:300]), 1.0)
    assert len(kept.images) == 1
    assert "picture 2 of 2 came damaged from the engine" in kept.notes


async def test_what_fits_is_the_video_and_what_does_not_is_its_still(media):
    (kept,) = (await media.keep(job_of(), result_of(MP4), 1.0)).images
    whole = await media.upload_copy(kept.media_id, len(MP4))
    assert (whole.data, whole.extension, whole.is_smaller, whole.video_bytes) == (MP4, "mp4", False, 0)
    still = await media.upload_copy(kept.media_id, len(MP4) - 1)
    assert (still.media_type.startswith("image/"), still.is_smaller, still.video_bytes) == (True, True, len(MP4))
    assert opened(still.data).size == (96, 64)


async def test_thumbnails_and_sheets_show_its_still(media):
    kept = await media.keep(job_of(), result_of(WEBM, noise((96, 64))), 1.0)
    assert opened(await media.thumbnail(kept.images[0].media_id, 48)).size == (48, 32)
    sheet = await media.grid_of(kept, 10**6)
    strip = await media.strip_of([("one", item.media_id) for item in kept.images], 10**6)
    assert opened(sheet.data).size == opened(strip.data).size == (96, 64 + 64 + 4)


async def test_it_is_given_as_it_is_where_another_format_is_asked_for(media):
    (kept,) = (await media.keep(job_of(), result_of(MP4), 1.0)).images
    made = await media.converted(await media.get(kept.media_id), "PNG")
    assert (made.data, made.media_type, made.extension) == (MP4, "video/mp4", "mp4")


async def test_nothing_is_drawn_from_a_video(media):
    (kept,) = (await media.keep(job_of(), result_of(MP4), 1.0)).images
    with pytest.raises(RequestRejected, match="only pictures can be drawn from"):
        await media.load(SourceImage(media_id=kept.media_id))


@pytest.mark.parametrize("has_mask", [True, False])
async def test_a_video_drawn_from_a_picture_is_neither_cut_nor_pasted(has_mask):
    source = SourceImage.of(picture(size=(32, 24)), 32, 24)
    mask = SourceImage.of(picture(mode="L", size=(32, 24), color=255), 32, 24) if has_mask else None
    mode = Mode.INPAINT if has_mask else Mode.IMG2IMG
    drawn = replace(REQUEST, mode=mode, init_image=source, mask_image=mask, width=64, height=48)
    made = await unframed(replace(drawn, width=32, height=24), drawn, result_of(MP4))
    assert [image.data for image in made.images] == [MP4]
