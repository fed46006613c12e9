"""Two pictures become one request: by the engine that takes a style, else by palette."""

import pytest

from generation.capabilities import Capabilities
from generation.errors import RequestRejected
from generation.request import Draft, Mode, SourceImage
from services.drawing.style_transfer import NOTE, StyleTransfer, with_style_of
from services.engines.catalog import Engine
from services.pictures.media import MediaService
from tests.services.conftest import DAY_S
from tests.utils.pictures import picture

BOTH = frozenset({Mode.TXT2IMG, Mode.IMG2IMG})


@pytest.fixture
def media(cache, clock) -> MediaService:
    return MediaService(cache, clock, DAY_S)


def engine(*kinds: str, modes: frozenset[Mode] = BOTH, error: str | None = None) -> Engine:
    offered = Capabilities(modes=modes, control_kinds=kinds)
    return Engine(
        name="gpu",
        label="my gpu",
        kind="a1111",
        owner_kind="easel",
        is_fallback=False,
        capabilities=offered,
        error=error,
    )


def source(data: bytes | None = None) -> SourceImage:
    return SourceImage.of(data or picture(), 32, 24)


def transfer(**values) -> StyleTransfer:
    return StyleTransfer(
        **{"content": source(), "style": source(), "style_strength": 0.6, "content_strength": 0.7} | values
    )


async def test_an_engine_that_takes_a_style_picture_gets_it_as_it_is(media) -> None:
    asked = transfer()
    found = await with_style_of(Draft(prompt="a fox"), asked, [engine(), engine("canny", "IP_Adapter")], media)
    (unit,) = found.draft.control
    assert (unit.kind, unit.image, unit.weight) == ("IP_Adapter", asked.style, 0.6)
    assert found.draft.init_image == asked.content
    assert found.draft.backend == "gpu"
    assert found.draft.denoising_strength == pytest.approx(0.3)
    assert found.note == f"{NOTE}: by my gpu itself, with its ControlNet for IP_Adapter"


@pytest.mark.parametrize(
    "engines",
    [
        [],
        [engine("canny")],
        [engine("reference", modes=frozenset({Mode.TXT2IMG}))],
        [engine("reference", error="down")],
    ],
)
async def test_where_none_does_the_palette_is_moved_and_the_note_says_so(media, engines) -> None:
    asked = transfer()
    found = await with_style_of(Draft(prompt="a fox"), asked, engines, media)
    assert found.draft.control == ()
    assert found.draft.backend is None
    assert found.draft.init_image is not None
    assert found.draft.init_image.data != asked.content.data
    assert "its palette and tonality were moved" in found.note


@pytest.mark.parametrize("field", ["style_strength", "content_strength"])
async def test_a_strength_out_of_range_is_refused_by_its_name(media, field) -> None:
    with pytest.raises(RequestRejected, match=r"cannot be 1\.5") as refused:
        await with_style_of(Draft(), transfer(**{field: 1.5}), [], media)
    assert refused.value.field == field


async def test_a_style_that_is_no_picture_is_refused(media) -> None:
    with pytest.raises(RequestRejected) as refused:
        await with_style_of(Draft(), transfer(style=source(b"no picture")), [], media)
    assert refused.value.field == "style"
