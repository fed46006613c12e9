"""Parameters of a picture, read back as a draft, and pictures continued beyond their edges."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from constants import DEFAULT_OUTPAINT_STRENGTH
from generation.errors import RequestRejected
from generation.request import Draft, GenerationRequest, HiresFix, Lora, Mode, Pan, SourceImage
from services.pictures.media import MediaService, parameters_of
from services.pictures.pictures import draft_from, left_of, outpainting, parameters_in
from utils.images import ImageInfo, with_parameters
from utils.infotext import Infotext, parse_infotext

DATA = Path(__file__).parents[1] / "data"
TEXT = (
    "a <lora:ink:0.7> fox, in snow\nNegative prompt: ugly\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, "
    "CFG scale: 6.5, Seed: 42, Size: 512x768, Model hash: aa, Model: dream, VAE: kl-f8.pt, Denoising strength: 0.4, "
    "Clip skip: 2, Hires upscale: 1.5, Hires steps: 9, Hires upscaler: Latent, Version: 1.10.1"
)


def picture(kind: str = "PNG", size: tuple[int, int] = (200, 100)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


async def test_the_other_pictures_of_an_animation_are_said_to_be_left_out() -> None:
    [note] = await left_of((DATA / "cases/27-animated.webp").read_bytes())
    assert "only the first picture of the animation" in note
    for data in (picture(), picture("GIF"), b"no picture"):
        assert await left_of(data) == ()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_what_a_picture_says_of_its_making_is_read(kind: str) -> None:
    found = await parameters_in(with_parameters(picture(kind), TEXT))
    assert found == parse_infotext(TEXT)


@pytest.mark.parametrize("data", [picture(), b"no picture", b"", with_parameters(picture(), "just some words")])
async def test_picture_that_says_nothing_gives_nothing(data: bytes) -> None:
    assert await parameters_in(data) is None


@pytest.mark.parametrize(
    ("reply", "seed"),
    [
        ("156680208700286", 156680208700286), ("18446744073709551615", 2**64 - 1), ("18446744073709551616", None),
        ("-1", None), ("7.0", 7), ("1e400", None),
    ],
)  # fmt: skip
def test_a_seed_is_read_to_its_last_digit(reply: str, seed: int | None) -> None:
    assert draft_from(Infotext(prompt="a fox", parameters={"Seed": reply})).seed == seed


def test_infotext_becomes_a_draft() -> None:
    assert draft_from(parse_infotext(TEXT)) == Draft(
        prompt="a fox, in snow",
        negative_prompt="ugly",
        width=512,
        height=768,
        steps=20,
        cfg_scale=6.5,
        sampler="DPM++ 2M",
        scheduler="Karras",
        model="dream",
        vae="kl-f8.pt",
        clip_skip=2,
        loras=(Lora(name="ink", weight=0.7),),
        hires=HiresFix(factor=1.5, denoising_strength=0.4, steps=9, upscaler="Latent"),
        seed=42,
    )


def test_distilled_guidance_of_forge_is_read() -> None:
    text = "a fox\nSteps: 20, Sampler: Euler, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 1, Size: 64x64"
    draft = draft_from(parse_infotext(text))
    assert (draft.guidance, draft.cfg_scale) == (3.5, 1.0)


def test_what_we_write_ourselves_is_read_back() -> None:
    request = GenerationRequest(
        prompt="a fox", negative_prompt="hats", width=512, height=512, steps=20, cfg_scale=1.0, seed=7, guidance=3.5,
        styles=("Ink", "Film noir"), hires=HiresFix(factor=1.5, denoising_strength=0.4, upscaler="Latent"),
        loras=(Lora(name="ink", weight=0.5),),
    )  # fmt: skip
    info = ImageInfo(width=768, height=768, media_type="image/png")
    draft = draft_from(parse_infotext(parameters_of(request, info, seed=7, model="dream", engine="gpu")))
    assert draft.hires == request.hires
    assert (draft.styles, draft.guidance, draft.loras) == (request.styles, 3.5, request.loras)
    assert (draft.width, draft.height) == (512, 512)


@pytest.mark.parametrize(
    "parameters",
    [
        {"Steps": "9999", "Seed": "-1", "CFG scale": "nan"},
        {"Steps": "20.5", "Size-1": "7", "Size-2": "9", "Clip skip": "99"},
        {"Seed": str(2**70), "Hires upscale": "9", "Denoising strength": "inf"},
    ],
)
def test_values_that_cannot_be_are_passed_over(parameters: dict[str, str]) -> None:
    read = Infotext(prompt="a fox <lora:x:99>", parameters=parameters)
    assert draft_from(read) == Draft(prompt="a fox")


def test_half_a_size_is_none() -> None:
    draft = draft_from(Infotext(prompt="a fox", parameters={"Size-1": "512", "Size-2": "9"}))
    assert (draft.width, draft.height) == (None, None)


def test_everything_a_real_server_wrote_becomes_a_valid_draft() -> None:
    cases = json.loads((DATA / "a1111" / "infotext_cases.json").read_text())
    for case in cases:
        draft = draft_from(parse_infotext(case["infotext"]))
        assert draft.steps
        assert draft.seed is not None


@pytest.fixture
def media(cache, clock) -> MediaService:
    return MediaService(cache, clock, ttl_s=3600.0)


async def taken(media: MediaService, size: tuple[int, int]) -> SourceImage:
    return await media.take_input(picture(size=size))


async def opened(media: MediaService, source: SourceImage | None) -> Image.Image:
    assert source is not None
    return Image.open(io.BytesIO((await media.load(source)).data))


async def test_zoom_shrinks_the_picture_on_a_canvas_of_its_own_size(media: MediaService) -> None:
    source = await taken(media, (512, 768))
    draft = await outpainting(Draft(prompt="a fox", init_image=source, zoom=2.0), media)
    assert (draft.mode, draft.zoom, draft.width, draft.height) == (Mode.INPAINT, None, 512, 768)
    assert draft.denoising_strength == DEFAULT_OUTPAINT_STRENGTH
    mask = await opened(media, draft.mask_image)
    assert mask.size == (512, 768)
    grey = mask.convert("L")
    assert [grey.getpixel(at) for at in ((0, 0), (511, 767), (256, 10), (256, 384))] == [255, 255, 255, 0]


@pytest.mark.parametrize(
    ("pan", "size", "new", "old"),
    [
        (Pan.LEFT, (768, 512), (0, 256), (767, 256)),
        (Pan.RIGHT, (768, 512), (767, 256), (0, 256)),
        (Pan.UP, (512, 768), (256, 0), (256, 767)),
        (Pan.DOWN, (512, 768), (256, 767), (256, 0)),
    ],
)
async def test_pan_adds_half_on_one_side(
    media: MediaService, pan: Pan, size: tuple[int, int], new: tuple[int, int], old: tuple[int, int]
) -> None:
    source = await taken(media, (512, 512))
    draft = await outpainting(Draft(prompt="a fox", init_image=source, pan=pan), media)
    assert (draft.width, draft.height) == size
    mask = (await opened(media, draft.mask_image)).convert("L")
    assert (mask.size, mask.getpixel(new), mask.getpixel(old)) == (size, 255, 0)


async def test_size_and_strength_that_were_said_win(media: MediaService) -> None:
    source = await taken(media, (512, 512))
    reply = Draft(prompt="a fox", init_image=source, zoom=1.5, width=640, height=640, denoising_strength=0.5)
    draft = await outpainting(reply, media)
    assert (draft.width, draft.height, draft.denoising_strength) == (640, 640, 0.5)


async def test_same_zoom_gives_the_same_request(media: MediaService) -> None:
    source = await taken(media, (300, 200))
    reply = Draft(prompt="a fox", init_image=source, zoom=1.5)
    assert await outpainting(reply, media) == await outpainting(reply, media)


async def test_zoom_without_a_picture_is_refused(media: MediaService) -> None:
    with pytest.raises(RequestRejected) as caught:
        await outpainting(Draft(prompt="a fox", zoom=1.5), media)
    assert caught.value.field == "init_image"


async def test_draft_without_zoom_is_left_alone(media: MediaService) -> None:
    draft = Draft(prompt="a fox")
    assert await outpainting(draft, media) is draft
