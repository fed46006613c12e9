"""Zoom and pan through the service: an inpainting job for whatever engine can, refused where none can."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from generation.capabilities import Capabilities
from generation.errors import CapabilityError
from generation.job import Origin
from generation.request import Draft, GenerationRequest, HiresFix, Mode, Pan, SourceImage
from services.drawing.generation import GenerationService
from services.pictures.media import MediaService
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig
from tests.utils.pictures import slope

ANN = Origin(door="test", user_id="ann")


@dataclass
class House:
    rig: Rig
    service: GenerationService
    media: MediaService

    async def drawn(self, draft: Draft) -> GenerationRequest:
        view = await self.service.submit(draft, ANN)
        await self.rig.settle()
        return (await self.rig.row(view.job)).drawn

    async def source(self) -> SourceImage:
        return await self.media.take_input(slope((512, 512)))


@pytest.fixture
async def house(cache, clock) -> AsyncIterator[House]:
    async with queue_rig(cooldown_s=0) as rig:
        media = MediaService(cache, clock, ttl_s=3600.0)
        preferences = PreferenceStore(rig.database)  # type: ignore[arg-type]
        service = GenerationService(
            queue=rig.queue, jobs=rig.jobs, registry=rig.registry, media=media, preferences=preferences, clock=rig.clock
        )
        yield House(rig, service, media)


async def test_zoom_is_an_inpainting_job_of_the_pictures_own_size(house: House) -> None:
    await house.rig.add(FakeBackend("gpu"))
    drawn = await house.drawn(Draft(prompt="a fox", init_image=await house.source(), zoom=1.5))
    assert (drawn.mode, drawn.width, drawn.height) == (Mode.INPAINT, 512, 512)
    assert drawn.init_image is not None
    assert drawn.mask_image is not None
    assert drawn.init_image.media_id != (await house.source()).media_id


async def test_a_preferred_size_is_not_for_pictures_from_pictures(house: House) -> None:
    await house.rig.add(FakeBackend("gpu"))
    preferences = PreferenceStore(house.rig.database)  # type: ignore[arg-type]
    for preferred in (Draft(width=320, height=256), Draft(aspect=(3, 1))):
        await preferences.set("user:test:ann", preferred)
        drawn = await house.drawn(Draft(prompt="a fox", init_image=await house.source()))
        assert (drawn.width, drawn.height) == (512, 512)
        assert (await house.drawn(Draft(prompt="a fox"))).width != 512


async def test_pan_is_an_inpainting_job_of_a_larger_size(house: House) -> None:
    await house.rig.add(FakeBackend("gpu"))
    drawn = await house.drawn(Draft(prompt="a fox", init_image=await house.source(), pan=Pan.UP))
    assert (drawn.mode, drawn.width, drawn.height) == (Mode.INPAINT, 512, 768)


async def test_engine_that_cannot_inpaint_is_named_in_the_refusal(house: House) -> None:
    await house.rig.add(FakeBackend("gpu", capabilities=Capabilities(modes=frozenset({Mode.TXT2IMG}))))
    with pytest.raises(CapabilityError, match="cannot do inpaint"):
        await house.drawn(Draft(prompt="a fox", init_image=await house.source(), zoom=1.5))


async def test_preferred_hires_fix_and_styles_come_back_from_the_store(house: House) -> None:
    can = Capabilities(modes=frozenset(Mode), supports_hires=True, upscalers=("Lanczos",), styles=("Ink",))
    await house.rig.add(FakeBackend("gpu", capabilities=can))
    wanted = Draft(hires=HiresFix(factor=1.5, steps=9), styles=("Ink",), upscaler="lanczos")
    await PreferenceStore(house.rig.database).set("user:test:ann", wanted)  # type: ignore[arg-type]
    drawn = await house.drawn(Draft(prompt="a fox"))
    assert drawn.hires == HiresFix(factor=1.5, steps=9, upscaler="Lanczos")
    assert drawn.styles == ("Ink",)
