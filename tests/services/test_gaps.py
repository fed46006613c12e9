"""A fallback that fills a gap: it does what no engine here can, and nothing else."""

import asyncio

import pytest

from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities
from generation.errors import BackendError, CapabilityError, OutOfMemory
from generation.job import JobStatus, Origin
from generation.request import Draft, Mode, SourceImage
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig

ANN = Origin(door="test", user_id="ann", guild_id="g", channel_id="c")
PLAIN = Capabilities(modes=frozenset({Mode.TXT2IMG}))
EVERYTHING = Capabilities(modes=frozenset(Mode))
LARGER = Draft(mode=Mode.UPSCALE, init_image=SourceImage.of(b"a picture", 64, 64), upscale_factor=2.0)


class Media:
    """Knows how large each picture is, and none from before."""

    async def size_of(self, source):
        return 64, 64

    async def recall(self, lane, request, asked):
        return None


class House:
    def __init__(self, rig):
        self.rig = rig
        self.service = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=Media(),
            preferences=PreferenceStore(rig.database),
            clock=rig.clock,
        )

    async def engine(self, name, can, *, fills=(), is_fallback=False, finishes=False):
        backend = FakeBackend(name, capabilities=can)
        config = BackendConfig(name=name, kind="fake", label=name.capitalize())
        entry = Entry(
            config=config,
            backend=backend,
            is_fallback=is_fallback or finishes or bool(fills),
            fills=frozenset(fills),
            finishes=finishes,
        )
        self.rig.registry.add(entry)
        self.rig.backends[name] = backend
        await self.rig.registry.refresh(name)

    async def ask(self, draft):
        view = await self.service.submit(draft, ANN, fresh=True)
        await self.rig.settle()
        return view.job

    async def ended(self, job):
        async with asyncio.timeout(10):
            async for view in self.rig.queue.watch(job.id):
                if view.job.is_terminal:
                    break
        return view.job

    async def again(self, job, changes=None):
        view = await self.service.again(job.id, ANN, changes)
        await self.rig.settle()
        return view.job


@pytest.fixture
async def house():
    async with queue_rig(cooldown_s=0, max_waiting_per_user=9) as rig:
        yield House(rig)


async def with_fallbacks(house):
    await house.engine("art", Capabilities(modes=frozenset({Mode.UPSCALE})), fills={Mode.UPSCALE})
    await house.engine("sketch", EVERYTHING, is_fallback=True)


@pytest.mark.parametrize(
    ("engines", "lane"),
    [
        ({"gpu": PLAIN}, "art"),  # it cannot: the gap is filled
        ({"gpu": EVERYTHING}, "gpu"),
        ({"gpu": PLAIN, "other": EVERYTHING}, "other"),
        ({}, "art"),  # before the fallback that does everything somehow
    ],
)
async def test_what_no_engine_can_is_done_by_what_fills_the_gap_and_nothing_else_is(house, engines, lane):
    await with_fallbacks(house)
    for name, can in engines.items():
        await house.engine(name, can)
    assert (await house.ask(LARGER)).lane == lane
    assert (await house.ask(Draft(prompt="a fox"))).lane == ("gpu" if engines else "sketch")


async def test_it_is_there_by_its_name_too(house):
    await with_fallbacks(house)
    await house.engine("gpu", EVERYTHING)
    named = Draft(mode=Mode.UPSCALE, init_image=LARGER.init_image, upscale_factor=4.0, backend="art")
    assert (await house.ask(named)).lane == "art"


async def test_a_picture_is_enlarged_where_that_can_be_done_and_drawn_again_where_it_was(house):
    await house.engine("sketch", EVERYTHING, is_fallback=True)
    drawn = await house.ask(Draft(prompt="a fox"))
    assert (await house.again(drawn, LARGER)).lane == "sketch"
    await with_fallbacks(house)
    enlarged = await house.again(drawn, LARGER)
    assert (enlarged.lane, enlarged.is_pinned) == ("art", False)
    assert (await house.again(enlarged)).lane == "art"
    assert (await house.again(enlarged, Draft(prompt="a cat"))).lane == "sketch"


async def test_a_picture_of_an_engine_that_cannot_upscale_is_enlarged_too(house):
    await house.engine("gpu", PLAIN)
    drawn = await house.ask(Draft(prompt="a fox"))
    await with_fallbacks(house)
    assert (await house.again(drawn, LARGER)).lane == "art"
    assert (await house.again(drawn, Draft(steps=30))).lane == "gpu"


async def test_buttons_for_it_are_shown_where_the_gap_is_filled(house):
    catalog = Catalog(house.rig.registry)
    await house.engine("gpu", PLAIN)
    assert catalog.modes(ANN.person) == {Mode.TXT2IMG}
    await with_fallbacks(house)
    assert catalog.modes(ANN.person) == {Mode.TXT2IMG, Mode.UPSCALE}
    assert [engine.name for engine in catalog.engines(ANN.person)] == ["gpu"]
    assert [engine.name for engine in catalog.engines_and_fillers(ANN.person)] == ["gpu", "art"]
    assert [engine.name for engine in catalog.engines(ANN.person, with_fallback=True)] == ["gpu", "sketch", "art"]


async def test_where_nothing_can_enlarge_it_says_what_could(house):
    await house.engine("gpu", PLAIN)
    with pytest.raises(CapabilityError, match="Gpu: it cannot do upscale") as caught:
        await house.ask(LARGER)
    assert "make run ART=1" in caught.value.hint


async def with_painter(house):
    await with_fallbacks(house)
    await house.engine("painted", Capabilities(modes=frozenset({Mode.TXT2IMG}), loras=()), finishes=True)


async def test_what_takes_a_fallbacks_drawing_further_goes_before_it_and_after_all_engines(house):
    await with_painter(house)
    assert (await house.ask(Draft(prompt="a fox"))).lane == "painted"
    assert (await house.ask(Draft(prompt="a fox", backend="sketch"))).lane == "sketch"
    assert [engine.name for engine in Catalog(house.rig.registry).engines(ANN.person)] == ["painted", "sketch"]
    await house.engine("gpu", PLAIN)
    assert (await house.ask(Draft(prompt="a fox"))).lane == "gpu"
    assert (await house.ask(Draft(prompt="a fox", backend="painted"))).lane == "painted"
    assert [engine.name for engine in Catalog(house.rig.registry).engines(ANN.person)] == ["gpu"]


async def test_it_goes_first_however_long_its_line_is(house):
    await with_painter(house)
    house.rig.backends["painted"]._gate = asyncio.Semaphore(0)
    assert [(await house.ask(Draft(prompt="a fox"))).lane for _ in range(3)] == ["painted"] * 3


async def test_what_it_cannot_do_is_drawn_by_the_fallback_also_from_its_own_pictures(house):
    await with_painter(house)
    drawn = await house.ask(Draft(prompt="a fox"))
    over = Draft(mode=Mode.IMG2IMG, init_image=LARGER.init_image, denoising_strength=0.5)
    assert (await house.again(drawn, over)).lane == "sketch"
    assert (await house.again(drawn)).lane == "painted"
    assert (await house.again(drawn, LARGER)).lane == "art"


async def test_where_it_fails_the_fallback_draws_and_says_so(house):
    await with_painter(house)
    house.rig.backends["painted"].fail = [BackendError("The network crashed on this picture.")]
    job = await house.ended(await house.ask(Draft(prompt="a fox")))
    assert (job.status, job.lane) == (JobStatus.DONE, "sketch")
    assert "moved to Sketch: The network crashed on this picture" in job.notes


@pytest.mark.parametrize("has_engine", [False, True])
async def test_an_upscale_that_fails_is_done_by_another_engine_that_can(house, has_engine):
    await with_fallbacks(house)
    if has_engine:
        await house.engine("gpu", PLAIN)
    house.rig.backends["art"].fail = [OutOfMemory("This machine has too little memory for this picture.")]
    job = await house.ended(await house.ask(LARGER))
    assert (job.status, job.lane, job.tried) == (JobStatus.DONE, "sketch", ("art",))
    assert "moved to Sketch: This machine has too little memory for this picture" in job.notes


async def test_where_no_other_can_it_says_why_it_failed(house):
    await house.engine("art", Capabilities(modes=frozenset({Mode.UPSCALE})), fills={Mode.UPSCALE})
    house.rig.backends["art"].fail = [BackendError("The network crashed on this picture."), OutOfMemory("Too large.")]
    for draft, message in ((LARGER, "The network crashed on this picture."), (LARGER, "Too large.")):
        job = await house.ended(await house.ask(draft))
        assert job.error
        assert (job.status, job.error.user_message) == (JobStatus.FAILED, message)


async def test_one_that_was_asked_for_by_name_goes_nowhere_else(house):
    await with_fallbacks(house)
    house.rig.backends["art"].fail = [BackendError("The network crashed on this picture.")]
    named = Draft(mode=Mode.UPSCALE, init_image=LARGER.init_image, upscale_factor=4.0, backend="art")
    assert (await house.ended(await house.ask(named))).status is JobStatus.FAILED
