"""Size in is size out at every door, and an edit leaves alone what its mask leaves alone, whatever the engine does."""

import base64
import io

import pytest
from PIL import Image, ImageChops

from backends.base import BackendConfig
from backends.registry import Entry
from generation.request import Mode
from tests.api.dialects import data_url
from tests.repainter import TEXT, Repainter
from tests.utils.test_canvas import kept_pixels, noise
from utils.picture_texts import read_parameters
from utils.provenance import TRAINED, with_source_type

SIZES = [(700, 500), (90, 41), (130, 67), (3, 2)]


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def half_mask(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    mask.paste(255, (0, 0, max(1, size[0] // 2), size[1]))
    return mask


async def with_engine(site, **offered) -> Repainter:
    engine = Repainter(**({"size_grid": 64} | offered))
    site.easel.registry.add(Entry(config=BackendConfig(name="gpu1", kind="fake"), backend=engine))
    await site.easel.registry.refresh("gpu1")
    return engine


async def uploaded(site, picture: Image.Image | bytes) -> str:
    data = picture if isinstance(picture, bytes) else png(picture)
    answer = await site.client.post("/api/uploads", content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()["media_id"]


async def drawn(site, **reply) -> dict:
    answer = await site.client.post("/api/jobs", json={"prompt": "a fox"} | reply)
    assert answer.status_code == 202, answer.text
    job = await site.ended(answer.json()["jobs"][0]["id"])
    assert job["status"] == "done", job
    return job


async def file_of(site, media_id: str) -> bytes:
    return (await site.client.get(f"/api/media/{media_id}")).content


async def opened(site, job) -> Image.Image:
    return Image.open(io.BytesIO(await file_of(site, job["images"][0]["id"])))


@pytest.mark.parametrize("size", SIZES)
async def test_img2img_comes_back_in_the_size_of_its_source(site, size):
    engine = await with_engine(site)
    job = await drawn(site, init_image=await uploaded(site, noise(size)))
    assert (await opened(site, job)).size == size
    assert (job["request"]["width"], job["request"]["height"]) == size
    assert not any(side % 64 for side in (engine.requests[0].width, engine.requests[0].height))
    assert job["notes"] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
async def test_an_edit_leaves_alone_what_its_mask_leaves_alone(site, size, mode):
    await with_engine(site)
    source, mask = noise(size, mode), half_mask(size)
    job = await drawn(site, init_image=await uploaded(site, source), mask_image=await uploaded(site, mask))
    made = await opened(site, job)
    wanted = "RGBA" if mode == "RGBA" else "RGB"
    assert made.size == size
    assert kept_pixels(made.convert(wanted), mask) == kept_pixels(source.convert(wanted), mask)
    if min(size) > 40:
        changed = ImageChops.difference(made.convert("RGB"), source.convert("RGB")).convert("L")
        assert ImageChops.multiply(changed, mask).getbbox() is not None


async def test_a_pasted_picture_keeps_what_the_engine_says_of_its_making(site):
    await with_engine(site)
    source, mask = noise((90, 41)), half_mask((90, 41))
    job = await drawn(site, init_image=await uploaded(site, source), mask_image=await uploaded(site, mask))
    assert read_parameters(await file_of(site, job["images"][0]["id"])) == TEXT


async def test_the_engines_own_bytes_stay_where_nothing_has_to_be_cut(site):
    engine = await with_engine(site)
    job = await drawn(site, init_image=await uploaded(site, noise((128, 64))))
    assert await file_of(site, job["images"][0]["id"]) == with_source_type(engine.files[0], TRAINED)


@pytest.mark.parametrize("turn", [3, 6, 8])
async def test_a_turned_photo_is_edited_as_it_is_looked_at(site, turn):
    await with_engine(site)
    exif = Image.Exif()
    exif[0x0112] = turn
    out = io.BytesIO()
    noise((120, 70)).save(out, "PNG", exif=exif)
    size = (120, 70) if turn == 3 else (70, 120)
    job = await drawn(site, init_image=await uploaded(site, out.getvalue()))
    assert (await opened(site, job)).size == size


async def test_a_size_that_was_said_is_kept_to_the_pixel(site):
    await with_engine(site)
    source = await uploaded(site, noise((90, 41)))
    job = await drawn(site, init_image=source, width=333, height=205)
    assert (await opened(site, job)).size == (333, 205)
    half = await drawn(site, init_image=source, width=180)
    assert (await opened(site, half)).size == (180, 82)


async def test_a_preferred_size_is_for_pictures_from_words(site):
    engine = await with_engine(site)
    source = await uploaded(site, noise((90, 41)))
    job = await drawn(site, text="a fox --size 256x256")
    changed = await site.client.post(
        f"/api/jobs/{job['id']}/again",
        json={"changes": {"mode": "img2img", "denoising_strength": 0.4}, "image": source},
    )
    again = await site.ended(changed.json()["jobs"][0]["id"])
    assert (await opened(site, again)).size == (90, 41)
    assert engine.requests[-1].mode is Mode.IMG2IMG
    once_more = await site.client.post(f"/api/jobs/{again['id']}/again", json={})
    assert (await opened(site, await site.ended(once_more.json()["jobs"][0]["id"]))).size == (90, 41)


async def test_what_is_too_large_for_an_engine_comes_back_large_and_is_told(site):
    engine = await with_engine(site, max_side=256)
    source, mask = noise((600, 400)), half_mask((600, 400))
    ids = {"init_image": await uploaded(site, source), "mask_image": await uploaded(site, mask)}
    job = await drawn(site, **ids)
    made = await opened(site, job)
    assert kept_pixels(made, mask) == kept_pixels(source, mask)
    assert (engine.requests[0].width, engine.requests[0].height) == (256, 192)
    assert job["notes"] == ["drawn at 256×171 and enlarged to 600×400: at most 256 pixels a side here"]
    plain = await drawn(site, init_image=ids["init_image"])
    assert ((await opened(site, plain)).size, plain["notes"]) == ((600, 400), job["notes"])


async def test_more_than_a_model_can_draw_at_once_is_drawn_smaller_unless_it_was_said(site):
    engine = await with_engine(site, default_width=64, default_height=64)
    source = await uploaded(site, noise((600, 400)))
    job = await drawn(site, init_image=source)
    assert "too much for the model" in job["notes"][0]
    assert (await opened(site, job)).size == (600, 400)
    assert engine.requests[-1].width < 256
    await drawn(site, init_image=source, width=600, height=400)
    assert engine.requests[-1].width == 640


@pytest.mark.parametrize(("pan", "size", "corner"), [
    ("left", (900, 401), (300, 0)), ("right", (900, 401), (0, 0)), ("up", (600, 602), (0, 201)),
    ("down", (600, 602), (0, 0)),
])  # fmt: skip
async def test_a_picture_is_continued_without_a_pixel_of_it_changing(site, pan, size, corner):
    await with_engine(site)
    source = noise((600, 401))
    job = await drawn(site, init_image=await uploaded(site, source), pan=pan)
    made = await opened(site, job)
    size = (size[0], round(401 * 1.5)) if pan in ("up", "down") else size
    assert made.size == size
    x, y = corner
    y = made.height - 401 if pan == "up" else y
    assert made.crop((x, y, x + 600, y + 401)).convert("RGB").tobytes() == source.tobytes()


async def test_zooming_out_keeps_the_size(site):
    await with_engine(site)
    job = await drawn(site, init_image=await uploaded(site, noise((600, 401))), zoom=1.5)
    assert (await opened(site, job)).size == (600, 401)


@pytest.mark.parametrize(("factor", "size"), [(2, (180, 82)), (1.5, (135, 62)), (3.3, (297, 135))])
async def test_upscaling_goes_by_the_source(site, factor, size):
    await with_engine(site)
    source = await uploaded(site, noise((90, 41)))
    job = await drawn(site, init_image=source, mode="upscale", upscale_factor=factor)
    assert (await opened(site, job)).size == size


async def test_a_control_picture_gives_its_size(site):
    engine = await with_engine(site)
    source = await uploaded(site, noise((200, 90)))
    job = await drawn(site, control=[{"kind": "canny", "image": source}])
    assert (await opened(site, job)).size == (200, 90)
    with Image.open(io.BytesIO(engine.requests[0].control[0].image.data)) as steering:
        assert steering.size == (256, 128)


async def test_masks_are_looked_at_before_anything_is_queued(site):
    engine = await with_engine(site)
    source = await uploaded(site, noise((100, 60)))
    for mask, words in (
        (Image.new("L", (100, 60), 0), "all black"),
        (Image.new("L", (100, 60), 7), "all black"),
        (half_mask((60, 100)), "The mask is 60×100, the picture 100×60"),
    ):
        reply = {"prompt": "a fox", "init_image": source, "mask_image": await uploaded(site, mask)}
        answer = await site.client.post("/api/jobs", json=reply)
        assert (answer.status_code, answer.json()["field"]) == (400, "mask_image")
        assert words in answer.json()["error"]
    assert engine.requests == []
    for mask in (Image.new("L", (100, 60), 255), half_mask((200, 120))):
        job = await drawn(site, init_image=source, mask_image=await uploaded(site, mask))
        assert (await opened(site, job)).size == (100, 60)


async def test_a_mask_blur_fades_inwards(site):
    await with_engine(site, shift=0)
    source, mask = Image.new("RGB", (128, 64), "black"), half_mask((128, 64))
    ids = {"init_image": await uploaded(site, source), "mask_image": await uploaded(site, mask)}
    rows = {}
    for blur in (0, 16):
        made = (await opened(site, await drawn(site, **ids, mask_blur=blur))).convert("L")
        rows[blur] = [made.getpixel((x, 30)) for x in range(128)]
    assert rows[0] == [255] * 64 + [0] * 64
    assert rows[16][:40] == [255] * 40
    assert 0 < rows[16][60] < 255
    assert rows[16][64:] == [0] * 64
    refused = await site.client.post("/api/jobs", json={"text": "a fox --mask-blur 99", **ids})
    assert (refused.status_code, refused.json()["field"]) == (400, "mask_blur")


async def asked(site, path: str, reply: dict) -> dict:
    answer = await site.client.post(path, json=reply)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


@pytest.mark.parametrize("size", SIZES)
async def test_the_image_studio_keeps_sizes(site, size):
    await with_engine(site)
    source = {"imageUrl": data_url(noise(size)), "prompt": "a fox"}
    mask = {"editType": "inpaint", "mask": data_url(half_mask(size))}
    for path, reply in (("edit", mask), ("edit", {"editType": "img2img"}), ("variations", {})):
        found = await asked(site, f"/api/images/{path}", source | reply)
        assert found["images"][0]["size"] == f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES)
async def test_openai_edits_and_variations_keep_sizes(site, size):
    await with_engine(site)
    source = noise(size)
    hole = source.convert("RGBA")
    hole.putalpha(half_mask(size).point(lambda value: 255 - value))
    files = {"image": ("a.png", png(source))}
    reply = {"prompt": "a fox", "response_format": "b64_json"}
    calls = [
        ("edits", files | {"mask": ("m.png", png(hole))}),
        ("edits", files),
        ("edits", {"image": ("a.png", png(hole))}),
        ("variations", files),
    ]
    for path, given in calls:
        answer = await site.client.post(f"/v1/images/{path}", data=reply, files=given)
        assert answer.status_code == 200, answer.text
        made = Image.open(io.BytesIO(base64.b64decode(answer.json()["data"][0]["b64_json"])))
        assert made.size == size
        if given is not files:
            assert kept_pixels(made.convert("RGB"), half_mask(size)) == kept_pixels(source, half_mask(size))


@pytest.mark.parametrize("size", SIZES)
async def test_the_job_queue_keeps_sizes(site, size):
    await with_engine(site)
    picture, mask = data_url(noise(size)), data_url(half_mask(size))
    for path, reply in (
        ("img2img", {"initImage": picture}),
        ("inpaint", {"image": picture, "mask": mask}),
        ("style-transfer", {"contentImage": picture, "styleImage": data_url(noise((40, 40)))}),
    ):
        job = await asked(site, f"/generate/{path}", reply | {"prompt": "a fox"})
        ended = await site.ended(job["id"])
        assert (await opened(site, ended)).size == size


async def test_the_sketch_engine_keeps_sizes_too(site):
    source, mask = noise((150, 83)), half_mask((150, 83))
    ids = {"init_image": await uploaded(site, source), "mask_image": await uploaded(site, mask)}
    made = await opened(site, await drawn(site, **ids, steps=4))
    assert kept_pixels(made.convert("RGB"), mask) == kept_pixels(source, mask)


async def test_results_of_two_sizes_are_not_taken_for_each_other(site):
    engine = await with_engine(site)
    source = await uploaded(site, noise((128, 64)))
    for size in ((100, 70), (102, 72), (100, 70)):
        job = await drawn(site, init_image=source, width=size[0], height=size[1], seed=7)
        assert (await opened(site, job)).size == size
    assert len(engine.requests) == 2
