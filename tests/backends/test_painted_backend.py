"""The built-in painter: three engines of the registry draw one picture, and each failure is that engine's own."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from PIL import ImageChops, ImageStat

from backends.art.backend import ArtBackend
from backends.art.work import networks
from backends.base import BackendConfig
from backends.child import Child, ChildFailed, ChildFailure
from backends.kinds import kind_of, make_backend
from backends.painted.backend import CLEAR_STYLES, LINE, PaintedBackend
from backends.registry import BackendRegistry, Entry
from easel_sketch.backend import SketchBackend
from generation.capabilities import Fit, Refused, fit
from generation.errors import BackendError, BackendUnavailable
from generation.request import ControlUnit, GenerationRequest, Lora, Mode, SourceImage
from tests.backends.art.fake_child import FakeChild
from tests.contracts.backend_contract import BackendContract
from tests.fakes import FakeClock
from tests.utils.pictures import opened, picture
from utils.palettes import with_colours_of

FOX = GenerationRequest(prompt="a red fox in the snow", width=256, height=128, steps=4, cfg_scale=7.0, seed=7)
PAINTING = frozenset({Mode.RESTYLE, Mode.UPSCALE})


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)


async def ignore(_):
    pass


class PaintedRig:
    """A registry with the engine that draws by rules and a child of tests that paints."""

    def __init__(self, *, hold=False, child=None):
        self.child = child or FakeChild(hold=hold)
        self.registry = BackendRegistry(FakeClock())
        self.backend = PaintedBackend()
        self.add(self.backend)
        self.add(SketchBackend())
        self.add(ArtBackend(child=self.child), fills=PAINTING)

    def add(self, backend, fills=frozenset()):
        config = BackendConfig(name=backend.name, kind=backend.kind)
        self.registry.add(Entry(config=config, backend=backend, is_fallback=True, fills=fills))

    def is_working(self):
        return self.child.working > 0

    def fail_next(self):
        self.child.failure = ChildFailed(ChildFailure.CRASHED, "ended with -6")

    async def take_down(self):
        await self.registry.remove("art")


class TestPaintedContract(BackendContract):
    @asynccontextmanager
    async def rig(self, *, hold=False):
        rig = PaintedRig(hold=hold)
        yield rig
        await rig.registry.aclose()


@pytest.fixture
async def rig():
    rig = PaintedRig()
    yield rig
    await rig.registry.aclose()


async def test_a_picture_is_composed_small_painted_in_a_style_and_enlarged(rig):
    result = await rig.backend.generate(FOX, ignore)
    first, second = rig.child.orders
    assert (first["do"], first["style"], first["strength"]) == ("restyle", CLEAR_STYLES[7 % 6], 0.75)
    assert (second["do"], second["factor"]) == ("upscale", 2.0)
    assert opened(rig.child.blobs[0][0]).size == (128, 64)
    assert opened(result.images[0].data).size == (256, 128)


async def test_the_line_is_written_after_all_the_others_have_done_their_work(rig):
    result = await rig.backend.generate(FOX, ignore)
    plain = await SketchBackend().compose(replace(FOX, **{"width": 128, "height": 64}), ignore)
    assert rig.child.blobs[0][0] == plain.images[0].data, "nothing is written into what is painted"
    picture_, corner = opened(result.images[0].data).convert("L"), (150, 105, 256, 128)
    assert ImageStat.Stat(picture_.crop(corner)).stddev[0] > 20, "the line stands in the corner"
    assert ImageStat.Stat(picture_.crop((0, 0, 100, 60))).stddev[0] < 5, "the child of tests paints all in one colour"
    assert (
        (await rig.backend.capabilities()).remark == LINE == "painted: composed by rules, painted by a neural network"
    )


async def test_a_style_that_was_said_is_taken_and_the_seed_chooses_else(rig):
    for seed, styles in ((7, ("painting 9",)), (8, ()), (9, ())):
        await rig.backend.generate(replace(FOX, **{"seed": seed, "styles": styles}), ignore)
    styles = [order["style"] for order in rig.child.orders if order["do"] == "restyle"]
    assert styles == ["painting 9", CLEAR_STYLES[8 % 6], CLEAR_STYLES[9 % 6]]
    assert {*CLEAR_STYLES} <= {*networks.restyler().styles}


async def test_a_picture_too_small_for_it_is_painted_in_its_size_and_not_enlarged(rig):
    small = replace(FOX, **{"width": 64, "height": 120})
    result = await rig.backend.generate(small, ignore)
    assert [order["do"] for order in rig.child.orders] == ["restyle"]
    assert opened(result.images[0].data).size == (64, 120)


@pytest.mark.parametrize(
    "changes",
    [
        {"loras": (Lora(name="more_details"),)},
        {"mode": Mode.IMG2IMG, "init_image": SourceImage.of(picture(), 32, 24), "denoising_strength": 0.5},
        {"mode": Mode.INPAINT, "init_image": SourceImage.of(picture(), 32, 24)},
        {"control": (ControlUnit(kind="canny", image=SourceImage.of(picture(), 32, 24)),)},
        {"model": "sdxl"},
        {"width": 4096},
    ],
)
async def test_it_takes_over_nothing_that_the_engine_which_composes_refuses(rig, changes):
    request = replace(FOX, **{**changes})
    ours, theirs = [fit(request, await backend.capabilities()) for backend in (rig.backend, SketchBackend())]
    if request.mode is Mode.TXT2IMG:
        assert type(ours) is type(theirs)
        if isinstance(ours, Fit):
            assert ours == theirs
    else:
        assert isinstance(ours, Refused), "it draws from words alone"


async def test_without_one_of_its_engines_it_says_so(rig):
    await rig.registry.remove("sketch")
    with pytest.raises(BackendUnavailable, match="What composes the picture"):
        await rig.backend.capabilities()
    with pytest.raises(BackendUnavailable):
        await PaintedBackend().generate(FOX, ignore)


async def test_what_goes_wrong_in_the_painting_is_said_as_the_painter_says_it(rig):
    rig.fail_next()
    with pytest.raises(BackendError, match="The network crashed on this picture"):
        await rig.backend.generate(FOX, ignore)


async def test_progress_goes_through_all_its_parts(rig):
    seen = []

    async def report(progress):
        seen.append(round(progress.fraction, 2))

    await rig.backend.generate(FOX, report)
    assert seen == sorted(seen)
    assert len({*seen}) >= 6
    assert (seen[-1], seen[0] < 0.1) == (1.0, True)


def test_its_kind_goes_before_the_fallback_and_needs_both_gaps_filled():
    kind = kind_of("painted")
    assert (kind.finishes_with, kind.is_fallback, kind.is_connectable) == (PAINTING, False, False)
    engine = make_backend(BackendConfig(name="painted", kind="painted", options={"strength": "40"}))
    assert engine._strength == 0.4
    assert (engine.name, engine.kind, engine.is_paid) == ("painted", "painted", False)


def test_colours_come_from_the_other_picture_and_lightness_stays():
    grey, red = picture(color=(120, 120, 120)), picture(color=(200, 40, 40), size=(10, 10))
    mixed = opened(with_colours_of(grey, red, 1.0)).convert("RGB")
    first, second, third = mixed.getpixel((5, 5))
    assert first > second
    assert first > third
    assert abs(mixed.convert("L").getpixel((5, 5)) - 120) < 4
    assert opened(with_colours_of(grey, red, 0.0)).convert("RGB").getpixel((5, 5)) == (120, 120, 120)


# -- the real networks ------------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
async def test_real_networks_paint_what_is_drawn_by_rules(real_networks):
    rig = PaintedRig(child=Child("backends.art.work.hand"))
    try:
        result = await rig.backend.generate(FOX, ignore)
        plain = await SketchBackend().compose(FOX, ignore)
        again = await rig.backend.generate(FOX, ignore)
    finally:
        await rig.registry.aclose()
    painted, composed = [opened(images.images[0].data).convert("RGB") for images in (result, plain)]
    assert painted.size == composed.size == (256, 128)
    distance = ImageStat.Stat(ImageChops.difference(painted, composed.resize(painted.size))).mean
    assert 4 < max(distance) < 100, "the same scene, painted"
    assert result.images == again.images
