"""Pictures reach the store checked and labelled, come back as long as they are kept, and fit the door that asks."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from generation.errors import GenerationError, RequestRejected
from generation.job import Job, Origin
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from generation.result import GeneratedImage, GenerationResult
from services.pictures import media as media_module
from services.pictures.media import MediaService, file_name, parameters_of
from store.image_cache import CacheUnavailable
from tests.services.conftest import DAY_S
from tests.utils.pictures import noise, opened, picture
from utils import images
from utils.images import ImageInfo
from utils.infotext import parse_infotext
from utils.provenance import TRAINED, with_source_type

REQUEST = GenerationRequest(prompt="a red fox", width=32, height=24, steps=20, cfg_scale=7.0, seed=5, sampler="Euler a")


@pytest.fixture
def media(cache, clock):
    return MediaService(cache, clock, DAY_S, label_of={"gpu1": "gpu-box"}.__getitem__)


def job_of(request: GenerationRequest = REQUEST, job_id: str = "j1") -> Job:
    return Job(
        id=job_id,
        request=request,
        drawn=request,
        origin=Origin(door="discord", user_id="1"),
        lane="gpu1",
        candidates=("gpu1",),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def result_of(*files: bytes, **values) -> GenerationResult:
    return GenerationResult(
        images=tuple(GeneratedImage(data=data, seed=5 + n) for n, data in enumerate(files)), **values
    )


def break_store(cache, *names):
    async def refuse(*args, **kwargs):
        raise CacheUnavailable("disk full")

    for name in names:
        setattr(cache, name, refuse)


async def test_a_result_is_kept_with_its_figures(media, clock):
    made = result_of(picture(), picture("JPEG", (64, 48)), model="sdxl", cost_usd=0.04, notes=("a remark",))
    kept = await media.keep(job_of(), made, 11.5)
    assert [(i.seed, i.width, i.height, i.media_type) for i in kept.images] == [
        (5, 32, 24, "image/png"),
        (6, 64, 48, "image/jpeg"),
    ]
    assert (kept.backend, kept.seconds, kept.model, kept.cost_usd) == ("gpu-box", 11.5, "sdxl", 0.04)
    assert kept.notes == ("a remark",)
    assert (kept.expires_at - clock.now()).total_seconds() == DAY_S


async def test_a_kept_picture_carries_its_parameters_and_its_own_pixels(media):
    original = noise((32, 24))
    kept = await media.keep(job_of(), result_of(original), 1.0)
    found = await media.get(kept.images[0].media_id)
    assert found.job_id == "j1"
    assert len(found.data) == kept.images[0].size_bytes
    assert opened(found.data).tobytes() == opened(original).tobytes()
    reported = parse_infotext(images.read_parameters(found.data))
    assert reported.prompt == "a red fox"
    assert reported.parameters["Seed"] == "5"
    assert reported.parameters["Engine"] == "gpu-box"


async def test_parameters_written_by_the_engine_stay(media):
    original = images.with_parameters(picture(), "the engine's own")
    kept = await media.keep(job_of(), result_of(original), 1.0)
    data = (await media.get(kept.images[0].media_id)).data
    assert data == with_source_type(original, TRAINED)
    assert images.read_parameters(data) == "the engine's own"


async def test_media_ids_cannot_be_guessed(media):
    kept = await media.keep(job_of(), result_of(picture(), picture()), 1.0)
    ids = {image.media_id for image in kept.images}
    assert len(ids) == 2
    assert all(len(media_id) >= 22 for media_id in ids)


async def test_a_damaged_picture_is_left_out_and_said(media):
    kept = await media.keep(job_of(), result_of(picture(), b"not a picture"), 1.0)
    assert len(kept.images) == 1
    assert kept.notes == ("picture 2 of 2 came damaged from the engine",)
    assert await media.recall("gpu1", REQUEST) is None


@pytest.mark.parametrize(
    ("pictures", "asked", "is_complete"), [(1, 1, False), (1, 2, True), (3, 4, True), (2, 2, False)]
)
async def test_what_is_not_known_to_be_complete_is_not_recalled(media, pictures, asked, is_complete):
    request = replace(REQUEST, batch_size=asked)
    made = result_of(*[picture()] * pictures, is_complete=is_complete)
    kept = await media.keep(job_of(request), made, 1.0)
    assert await media.recall("gpu1", request) is None
    assert (f"{pictures} of {asked} came back" in kept.notes) == (pictures < asked)


async def test_the_same_request_on_the_same_engine_is_recalled(media):
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    assert await media.recall("gpu1", replace(REQUEST)) == "j1"
    assert await media.recall("gpu2", REQUEST) is None
    assert await media.recall("gpu1", replace(REQUEST, steps=21)) is None
    assert await media.has_all(kept)


async def test_pictures_and_memory_of_them_end_with_their_time(media, clock):
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    await clock.advance(DAY_S - 1)
    assert await media.has_all(kept)
    await clock.advance(2)
    assert not await media.has_all(kept)
    assert await media.get(kept.images[0].media_id) is None
    assert await media.recall("gpu1", REQUEST) is None


async def test_discarded_pictures_are_gone_at_once(media):
    kept = await media.keep(job_of(), result_of(picture(), picture()), 1.0)
    leftover = await media.keep(job_of(), result_of(picture()), 1.0)  # a crash came between this and the result
    other = await media.keep(replace(job_of(), id="j2"), result_of(picture()), 1.0)
    await media.discard("j1")
    assert await media.has_all(other)
    assert not await media.has_all(leftover)
    assert [await media.get(image.media_id) for image in kept.images] == [None, None]


async def test_a_discard_that_failed_is_told(media, cache):
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    break_store(cache, "delete", "delete_job")
    for attempt in (media.discard("j1"), media.forget([kept.images[0].media_id])):
        with pytest.raises(GenerationError, match="could not be deleted"):
            await attempt
    assert await media.has_all(kept)


async def test_a_full_disk_does_not_lose_the_picture(media, cache, clock, caplog):
    break_store(cache, "put", "remember")
    kept = await media.keep(job_of(), result_of(picture(), picture()), 1.0)
    assert await media.has_all(kept)
    assert "held in memory" in caplog.text
    await media.forget([kept.images[0].media_id])
    assert await media.get(kept.images[0].media_id) is None
    other = await media.keep(replace(job_of(), id="j2"), result_of(picture()), 1.0)
    await media.discard("j2")
    assert await media.get(other.images[0].media_id) is None
    await clock.advance(DAY_S + 1)
    assert await media.get(kept.images[1].media_id) is None


async def test_a_pinned_picture_stays_until_it_is_let_go(media, clock):
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    media_id = kept.images[0].media_id
    assert await media.pin(media_id)
    await clock.advance(10 * DAY_S)
    assert await media.get(media_id)
    assert await media.unpin(media_id)
    await clock.advance(DAY_S)
    assert await media.get(media_id) is None
    assert not await media.pin(media_id)


async def test_what_only_memory_holds_cannot_be_kept(media, cache):
    break_store(cache, "put", "remember")
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    with pytest.raises(GenerationError, match="cannot be kept just now"):
        await media.pin(kept.images[0].media_id)
    assert await media.pinned() == set()


async def test_memory_holds_no_more_than_its_share(media, cache, monkeypatch):
    data = noise((64, 64))
    monkeypatch.setattr(media_module, "HELD_BYTES", 3 * len(data))
    break_store(cache, "put", "remember")
    kept = await media.keep(job_of(), result_of(*[data] * 4), 1.0)
    there = [await media.get(image.media_id) is not None for image in kept.images]
    assert there == [False, False, True, True]


async def test_a_store_that_does_not_answer_is_like_an_empty_one(media, cache):
    kept = await media.keep(job_of(), result_of(picture()), 1.0)
    break_store(cache, "get", "recall")
    assert await media.get(kept.images[0].media_id) is None
    assert await media.recall("gpu1", REQUEST) is None


async def test_an_input_is_cleaned_and_the_same_twice_is_one(media):
    data = images.with_parameters(picture(), "somebody's prompt")
    first, again = await media.take_input(data), await media.take_input(data)
    assert first == again
    loaded = await media.load(SourceImage(media_id=first.media_id))
    assert loaded == first
    assert images.read_parameters(loaded.data) is None
    assert (await media.get(first.media_id)).kind == "input"


async def test_an_input_survives_a_full_disk_too(media, cache):
    break_store(cache, "put")
    source = await media.take_input(picture())
    assert (await media.load(SourceImage(media_id=source.media_id))).data == source.data


async def test_what_is_no_picture_is_refused_with_what_would_be(media):
    with pytest.raises(RequestRejected, match="not a picture") as caught:
        await media.take_input(b"hello")
    assert caught.value.field == "init_image"
    assert "PNG" in caught.value.hint


async def test_an_expired_source_is_said_to_have_expired(media, clock):
    source = await media.take_input(picture())
    await clock.advance(DAY_S + 1)
    with pytest.raises(RequestRejected, match="expired: pictures are kept for 24 h"):
        await media.load(SourceImage(media_id=source.media_id))


async def test_a_source_with_its_bytes_is_passed_on(media):
    source = SourceImage.of(b"anything")
    assert await media.load(source) is source


async def test_an_upload_is_the_original_where_it_fits_and_a_copy_where_not(media):
    kept = await media.keep(job_of(), result_of(noise((200, 200))), 1.0)
    media_id, size = kept.images[0].media_id, kept.images[0].size_bytes
    original = await media.upload_copy(media_id, size)
    copy = await media.upload_copy(media_id, size // 2)
    assert (original.extension, original.is_smaller, len(original.data)) == ("png", False, size)
    assert (copy.extension, copy.is_smaller) == ("webp", True)
    assert len(copy.data) <= size // 2
    assert await media.upload_copy("gone", size) is None
    assert await media.upload_copy(media_id, 5) is None


async def test_a_batch_is_shown_as_one_sheet(media, cache):
    kept = await media.keep(job_of(), result_of(*[picture(size=(100, 100))] * 4), 1.0)
    sheet = await media.grid_of(kept, 10_000_000)
    assert (sheet.extension, opened(sheet.data).size) == ("jpg", (204, 204))
    await cache.delete([kept.images[3].media_id])
    assert await media.grid_of(kept, 10_000_000) is None


async def test_a_thumbnail_is_small_and_not_kept(media):
    kept = await media.keep(job_of(), result_of(picture(size=(100, 50))), 1.0)
    assert opened(await media.thumbnail(kept.images[0].media_id, 40)).size == (40, 20)
    assert await media.thumbnail("gone", 40) is None


async def test_whoever_waits_for_the_next_expiry_is_told_of_each_picture(media):
    reported = []
    media.on_stored.append(lambda: reported.append(1))
    await media.keep(job_of(), result_of(picture(), picture()), 1.0)
    await media.take_input(picture())
    assert len(reported) == 3


def test_parameters_are_those_another_program_reads():
    request = replace(
        REQUEST,
        mode=Mode.IMG2IMG,
        negative_prompt="blurry",
        loras=(Lora(name="add_detail", weight=0.8),),
        scheduler="Karras",
        model="dreamshaper, 8",
        clip_skip=2,
        denoising_strength=0.6,
    )
    info = ImageInfo(width=32, height=24, media_type="image/png")
    assert parameters_of(request, info, seed=6, model=None, engine="sketch").split("\n") == [
        "a red fox <lora:add_detail:0.8>",
        "Negative prompt: blurry",
        "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7.0, Seed: 6, Size: 32x24, "
        'Model: "dreamshaper, 8", Denoising strength: 0.6, Clip skip: 2, Engine: sketch, Version: Easel 0.1.0',
    ]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A red fox, in the SNOW!", "a-red-fox-in-the-snow-812-20260301.png"),
        ("", "picture-812-20260301.png"),
        ("猫 🐱", "picture-812-20260301.png"),
        ("../../etc/passwd", "etc-passwd-812-20260301.png"),
        ("word " * 40, "word-word-word-word-word-word-word-word-812-20260301.png"),
        ("x" * 200, f"{'x' * 40}-812-20260301.png"),
    ],
)
def test_a_file_name_says_what_is_in_the_file(prompt, name):
    assert file_name(prompt, 812, datetime(2026, 3, 1, 12, tzinfo=UTC), "png") == name
