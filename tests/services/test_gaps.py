"""A fallback that fills a gap: it does what no engine here can, and nothing else."""

import pytest

from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities
from generation.errors import CapabilityError
from generation.job import Origin
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

    async def engine(self, name, can, *, fills=(), is_fallback=False):
        backend = FakeBackend(name, capabilities=can)
        config = BackendConfig(name=name, kind="fake", label=name.capitalize())
        entry = Entry(config=config, backend=backend, is_fallback=is_fallback or bool(fills), fills=frozenset(fills))
        self.rig.registry.add(entry)
        self.rig.backends[name] = backend
        await self.rig.registry.refresh(name)

    async def ask(self, draft):
        view = await self.service.submit(draft, ANN, fresh=True)
        await self.rig.settle()
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
