"""The networks as the queue sees them: progress, cancelling, and each failure in words."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from backends.art.backend import ArtBackend
from backends.art.work import upscaling
from backends.art.work.networks import upscalers
from backends.base import BackendConfig
from backends.child import Child, ChildFailed, ChildFailure
from backends.kinds import kind_of, make_backend
from generation.capabilities import Fit, Refused, fit
from generation.errors import BackendError, BackendUnavailable, OutOfMemory, RequestRejected
from generation.request import ControlUnit, GenerationRequest, Lora, Mode, SourceImage
from tests.backends.art.fake_child import FakeChild
from tests.contracts.backend_contract import BackendContract
from tests.utils.pictures import opened, picture

SOURCE = SourceImage.of(picture(size=(32, 32), color=(200, 60, 60)), 32, 32)
LARGER = GenerationRequest(
    prompt="a red fox", width=32, height=32, steps=4, cfg_scale=7.0, seed=7, mode=Mode.UPSCALE, init_image=SOURCE,
    upscale_factor=2.0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)


class ArtRig:
    """A child of tests is the engine."""

    def __init__(self, *, hold):
        self.child = FakeChild(hold=hold)
        self.backend = ArtBackend(child=self.child)

    def is_working(self):
        return self.child.working > 0

    def fail_next(self):
        self.child.failure = ChildFailed(ChildFailure.CRASHED, "ended with -6")

    async def take_down(self):
        await self.backend.aclose()


class TestArtContract(BackendContract):
    mode = Mode.UPSCALE

    @asynccontextmanager
    async def rig(self, *, hold=False):
        rig = ArtRig(hold=hold)
        yield rig
        await rig.backend.aclose()

    def request(self, **changes):
        return super().request(mode=Mode.UPSCALE, init_image=SOURCE, upscale_factor=2.0, **changes)


async def ignore(_):
    pass


async def failing(failure, message="", field=""):
    child = FakeChild()
    child.failure = ChildFailed(failure, message, field)
    with pytest.raises((BackendError, RequestRejected)) as caught:
        await ArtBackend(child=child).generate(LARGER, ignore)
    return caught.value


def test_it_is_made_with_its_options():
    engine = make_backend(BackendConfig(name="art", kind="art", options={"threads": "3", "idle_s": "12.5"}))
    assert (engine.name, engine.kind, engine.is_paid) == ("art", "art", False)
    assert (engine._threads, engine._child._idle_s, engine._child.pid) == (3, 12.5, None)
    with pytest.raises(ValueError, match="threads of art is 'many'"):
        make_backend(BackendConfig(name="art", kind="art", options={"threads": "many"}))


async def test_without_its_packages_it_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: False)
    with pytest.raises(BackendUnavailable, match="not installed") as caught:
        await ArtBackend().capabilities()
    assert "make run ART=1" in caught.value.hint


async def test_it_can_enlarge_by_three_networks_the_quick_one_first():
    can = await ArtBackend().capabilities()
    assert can.modes == {Mode.UPSCALE, Mode.RESTYLE}
    assert can.upscalers == ("R-ESRGAN AnimeVideo", "R-ESRGAN 4x+ Anime6B", "R-ESRGAN 4x+")


async def test_what_else_was_said_of_the_picture_is_neither_refused_nor_remarked_on():
    can = await ArtBackend().capabilities()
    reply = replace(
        LARGER, model="sdxl", sampler="Euler a", scheduler="Karras", loras=(Lora(name="ink"),), vae="other",
        styles=("noir",), negative_prompt="blur", clip_skip=2, guidance=3.5, steps=60,
    )  # fmt: skip
    fitted = fit(reply, can)
    assert isinstance(fitted, Fit)
    assert fitted.notes == ()
    assert isinstance(fit(replace(LARGER, mode=Mode.IMG2IMG), can), Refused)
    assert isinstance(fit(replace(LARGER, control=(ControlUnit(kind="canny", image=SOURCE),)), can), Fit)


async def test_the_upscaler_and_the_factor_are_those_that_were_asked_for():
    child = FakeChild()
    engine = ArtBackend(child=child, threads=2)
    result = await engine.generate(LARGER, ignore)
    assert (result.model, opened(result.images[0].data).size) == ("R-ESRGAN AnimeVideo", (64, 64))
    request = fit(replace(LARGER, upscaler="r-esrgan 4x+", upscale_factor=None), await engine.capabilities()).request
    assert (await engine.generate(request, ignore)).model == "R-ESRGAN 4x+"
    assert child.orders == [
        {"do": "upscale", "upscaler": "R-ESRGAN AnimeVideo", "factor": 2.0, "threads": 2},
        {"do": "upscale", "upscaler": "R-ESRGAN 4x+", "factor": 2.0, "threads": 2},
    ]


async def test_progress_counts_the_tiles():
    reports = []

    async def report(progress):
        reports.append((progress.fraction, progress.step, progress.steps))

    await ArtBackend(child=FakeChild()).generate(LARGER, report)
    assert reports == [(0.0, 0, 2), (0.5, 1, 2), (1.0, 2, 2)]


@pytest.mark.parametrize(
    ("changes", "words", "field"),
    [
        (
            {"upscale_factor": 8.0, "init_image": SourceImage.of(picture(size=(1200, 1000)))},
            "9600×8000",
            "upscale_factor",
        ),
        ({"init_image": SourceImage.of(b"no picture")}, "picture", "init_image"),
        ({"init_image": None}, "needs a picture to work on", "init_image"),
        ({"mode": Mode.TXT2IMG}, "needs a picture to work on", "init_image"),
    ],
)
async def test_what_cannot_be_enlarged_is_refused_before_a_process_is_started(changes, words, field):
    engine = ArtBackend()
    with pytest.raises(RequestRejected, match=words) as caught:
        await engine.generate(replace(LARGER, **changes), ignore)
    assert caught.value.field == field
    assert engine._child.pid is None


async def test_each_failure_has_its_words():
    memory = await failing(ChildFailure.MEMORY, "It needs 900 MB, and 20 MB are free.")
    assert isinstance(memory, OutOfMemory)
    assert "It needs 900 MB, and 20 MB are free." in memory.user_message
    assert "smaller factor" in memory.hint
    killed = await failing(ChildFailure.MEMORY, "ended with -9")
    assert killed.user_message == "This machine has too little memory for this picture."
    assert "crashed" in (await failing(ChildFailure.CRASHED, "ended with -6")).user_message
    assert "stopped responding" in (await failing(ChildFailure.HUNG, "no word for 300 s")).user_message
    assert "failed" in (await failing(ChildFailure.FAULT, "KeyError: 'seed'")).user_message
    refused = await failing(ChildFailure.REFUSED, "This picture is damaged or cut off.", "init_image")
    assert (type(refused), refused.field) == (RequestRejected, "init_image")
    assert "damaged" in (await failing(ChildFailure.REFUSED, "net.bin is missing or damaged.")).user_message


def test_its_kind_fills_the_gaps_of_others():
    kind = kind_of("art")
    assert (kind.is_fallback, kind.is_inside, kind.fills, kind.is_connectable) == (
        True,
        True,
        {Mode.UPSCALE, Mode.RESTYLE},
        False,
    )
    assert "make run ART=1" in kind.absent_hint


# -- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free_mb", "side"), [(None, 256), (100_000, 256), (700, 256), (500, 128), (460, 64), (430, 32)]
)
def test_where_memory_is_short_the_tiles_are_smaller(monkeypatch, free_mb, side):
    monkeypatch.setattr(upscaling, "free_bytes", lambda: free_mb and free_mb * 2**20)
    assert upscaling._affordable_side((256, 256), upscalers()["R-ESRGAN AnimeVideo"], 4) == side


def test_where_there_is_not_enough_it_says_how_much_is_missing(monkeypatch):
    monkeypatch.setattr(upscaling, "free_bytes", lambda: 300 * 2**20)
    with pytest.raises(MemoryError, match=r"It needs \d+ MB, and 300 MB are free"):
        upscaling._affordable_side((1024, 1024), upscalers()["R-ESRGAN 4x+"], 4)


# -- the real networks ------------------------------------------------------------------------------------------------


@pytest.fixture
async def art(real_networks):
    engine = ArtBackend(child=Child("backends.art.work.hand"), threads=1)
    yield engine
    await engine.aclose()


def scene(size=(72, 56), mode="RGB"):
    """A picture with edges, gradients and texture."""
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.paste((200, 40, 60), (10, 12, 40, 30))
    image = Image.blend(image, Image.effect_noise(size, 40).convert("RGB"), 0.2)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image


def as_source(image):
    return SourceImage.of(picture_bytes(image), *image.size)


def picture_bytes(image):
    return upscaling.encode(image, "PNG")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("factor", "size"), [(2.0, (144, 112)), (3.0, (216, 168)), (4.0, (288, 224)), (1.5, (108, 84))]
)
async def test_the_real_network_gives_the_same_picture_larger(art, factor, size):
    source = scene()
    result = await art.generate(replace(LARGER, init_image=as_source(source), upscale_factor=factor), ignore)
    large = opened(result.images[0].data)
    assert large.size == size
    smooth = ImageFilter.GaussianBlur(2)
    back = large.resize(source.size, Image.Resampling.BOX).filter(smooth)
    assert max(ImageStat.Stat(ImageChops.difference(back, source.filter(smooth))).mean) < 6


@pytest.mark.timeout(120)
async def test_the_real_network_keeps_transparency_and_turns_no_picture(art):
    source = scene(mode="RGBA")
    large = opened((await art.generate(replace(LARGER, init_image=as_source(source)), ignore)).images[0].data)
    assert large.mode == "RGBA"
    expected = source.getchannel("A").resize(large.size, Image.Resampling.LANCZOS)
    assert ImageChops.difference(large.getchannel("A"), expected).getbbox() is None


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("name", "side", "most"), [("R-ESRGAN AnimeVideo", 40, 1), ("R-ESRGAN 4x+ Anime6B", 32, 24)])
def test_tiles_of_the_real_network_show_no_seams(real_networks, name, side, most):
    upscaler, source = upscalers()[name], scene((64, 32))
    network = upscaling._network(name, 4, 1)

    def drawn(side):
        return upscaling.enlarge(
            source, network, 4, side=side, overlap=upscaler.overlap, on_tile=lambda done, count: None
        )

    difference = ImageChops.difference(drawn(side), drawn(64))
    assert max(high for _, high in difference.getextrema()) <= most


@pytest.mark.timeout(120)
async def test_a_job_on_the_real_network_is_cancelled_between_two_tiles(art):
    started = asyncio.Event()

    async def report(progress):
        if progress.step == 1:
            started.set()

    large = as_source(scene((640, 320)))
    job = asyncio.create_task(art.generate(replace(LARGER, init_image=large), report))
    await started.wait()
    pid = art._child.pid
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (await art.generate(LARGER, ignore)).images
    assert art._child.pid == pid


@pytest.mark.timeout(120)
async def test_the_real_network_gives_the_same_bytes_again(art):
    request = replace(LARGER, init_image=as_source(scene()))
    first, second = [await art.generate(request, ignore) for _ in range(2)]
    assert first.images == second.images
