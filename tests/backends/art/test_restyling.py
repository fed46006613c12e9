"""Restyling: which network does it, how strongly, and with the real ones where they are installed."""

from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageStat

from backends.art.backend import ArtBackend
from backends.art.work.networks import restyler
from backends.child import Child
from generation.capabilities import Fit, Refused, fit
from generation.errors import RequestRejected
from generation.request import Draft, GenerationRequest, Mode, SourceImage
from generation.resolve import resolve_for
from tests.backends.art.fake_child import FakeChild
from tests.utils.pictures import opened, picture
from utils.pixels import encode

SOURCE = SourceImage.of(picture(size=(48, 32), color=(200, 60, 60)), 48, 32)
LIKE = SourceImage.of(picture(size=(20, 40), color=(20, 60, 160)), 20, 40)
RESTYLED = GenerationRequest(
    prompt="", width=48, height=32, steps=4, cfg_scale=7.0, seed=7, mode=Mode.RESTYLE, init_image=SOURCE,
)  # fmt: skip


async def ignore(_):
    pass


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)


async def test_a_style_is_chosen_by_name_or_by_a_picture():
    child = FakeChild()
    engine = ArtBackend(child=child, threads=1)
    results = [
        await engine.generate(request, ignore)
        for request in (
            RESTYLED,
            replace(RESTYLED, styles=("painting 7",), denoising_strength=0.5),
            replace(RESTYLED, more_images=(LIKE,)),
        )
    ]
    usual = {"do": "restyle", "threads": 1}
    assert child.orders == [
        usual | {"style": "painting 1", "strength": 1.0},
        usual | {"style": "painting 7", "strength": 0.5},
        usual | {"style": "painting 1", "strength": 1.0},
    ]
    assert [len(blobs) for blobs in child.blobs] == [1, 1, 2]
    assert [result.model for result in results] == ["painting 1", "painting 7", "the style of a picture"]


async def test_all_of_it_is_painted_unless_a_strength_was_said_and_a_style_it_has_not_is_refused():
    can = await ArtBackend().capabilities()
    draft = Draft(mode=Mode.RESTYLE, init_image=SOURCE, styles=("Painting 26",), width=96, height=64)
    request = resolve_for(draft, can)
    assert request.denoising_strength == 1.0
    fitted = fit(request, can)
    assert isinstance(fitted, Fit)
    assert (fitted.request.styles, fitted.notes) == (("painting 26",), ())
    assert isinstance(fit(replace(request, styles=("rembrandt",)), can), Refused)
    assert len(can.styles) == 26


async def test_a_style_picture_that_cannot_be_read_is_refused():
    broken = replace(RESTYLED, more_images=(SourceImage.of(b"no picture"),))
    with pytest.raises(RequestRejected):
        await ArtBackend(child=FakeChild()).generate(broken, ignore)


def test_the_networks_name_their_origin_and_licence():
    assert "github.com" in restyler().made_by
    assert restyler().licence == "Apache-2.0"


# -- the real networks ------------------------------------------------------------------------------------------------


@pytest.fixture
async def art(real_networks):
    engine = ArtBackend(child=Child("backends.art.work.hand"), threads=1)
    yield engine
    await engine.aclose()


def scene(size=(150, 101), mode="RGB"):
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.paste((200, 40, 60), (10, 12, 80, 60))
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image


def as_source(image):
    return SourceImage.of(encode(image, "PNG"), *image.size)


async def painted(art, source, **changes):
    result = await art.generate(replace(RESTYLED, init_image=as_source(source), **changes), ignore)
    return opened(result.images[0].data)


def distance(first, second):
    return max(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean)


@pytest.mark.timeout(120)
async def test_each_real_style_is_another_and_strength_goes_from_the_picture_to_the_painting(art):
    source = scene()
    first, second = [await painted(art, source, styles=(name,)) for name in ("painting 1", "painting 20")]
    assert first.size == second.size == source.size
    assert distance(first, source) > 10
    assert distance(first, second) > 10
    half = await painted(art, source, styles=("painting 1",), denoising_strength=0.5)
    assert 0 < distance(half, source) < distance(first, source)
    assert distance(await painted(art, source, denoising_strength=0.0), source) == 0


@pytest.mark.timeout(120)
async def test_a_real_picture_lends_its_style_and_transparency_is_kept(art):
    source = scene(mode="RGBA")
    blue, red = (Image.effect_noise((90, 60), 60).convert("RGB") for _ in range(2))
    blue, red = (
        Image.blend(noise, Image.new("RGB", noise.size, c), 0.7) for noise, c in ((blue, "blue"), (red, "red"))
    )
    cold, warm = [await painted(art, source, more_images=(as_source(like),)) for like in (blue, red)]
    assert cold.size == source.size
    assert distance(cold, warm) > 5
    assert ImageChops.difference(cold.getchannel("A"), source.getchannel("A")).getbbox() is None
