"""Words for a picture by a model that sees, and by an engine that draws where that fails."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from generation.errors import BackendUnavailable, Barred, CapabilityError, HouseRefusal, RequestRejected
from generation.job import Origin
from generation.request import Draft, SourceImage
from services.engines.describing import Description
from services.wording.seeing import SIDE_PX, SeeingService
from tests.services.wording.rig import ORIGIN, EmptyTill, FakeGate, FakeTextEngine, text_service
from tests.utils.pictures import noise

SAYS = {"prompt": "a red fox in snow, photograph", "alt": "A fox stands in deep snow.", "tags": ["Fox", "snow"]}
PICTURE = SourceImage.of(noise((1600, 800)))


class FakeDescribing:
    """Engines that draw and can describe, or cannot."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.gate = FakeGate()
        self.asked: list[str | None] = []

    async def check(self, origin: Origin) -> None:
        await self.gate.let_in(Draft(), origin)

    async def judge(self, words: str, origin: Origin) -> None:
        if refusal := await self.gate.trial(Draft(prompt=words), origin, is_age_restricted=False):
            raise refusal

    async def describe(self, image: SourceImage, origin: Origin, *, backend: str | None = None) -> Description:
        self.asked.append(backend)
        if self.error:
            raise self.error
        return Description(text="a fox", engine="GPU1")


def seeing(engine: Any, describing: FakeDescribing | None = None, gate: FakeGate | None = None) -> SeeingService:
    engines: Any = describing or FakeDescribing()
    engines.gate = gate or engines.gate
    return SeeingService(text_service(engine), engines)


async def describe(service: SeeingService, **options: Any) -> Description:
    return await service.describe(PICTURE, ORIGIN, **options)


async def test_a_model_that_sees_finds_a_prompt_a_sentence_and_tags():
    engine = FakeTextEngine(SAYS)
    found = await describe(seeing(engine))
    assert found == Description(
        text="a red fox in snow, photograph",
        engine="claude-haiku-5-5",
        alt="A fox stands in deep snow.",
        tags=("fox", "snow"),
    )


async def test_it_is_shown_a_small_jpeg_that_says_nothing_of_its_origin():
    engine = FakeTextEngine(SAYS)
    await describe(seeing(engine))
    picture = engine.asked[0].picture
    with Image.open(BytesIO(picture.data)) as sent:
        assert (sent.format, sent.size) == ("JPEG", (SIDE_PX, SIDE_PX // 2))
        assert not sent.getexif()


async def test_an_engine_that_is_named_is_asked_itself():
    engine, describing = FakeTextEngine(SAYS), FakeDescribing()
    assert (await describe(seeing(engine, describing), backend="gpu1")).engine == "GPU1"
    assert (engine.asked, describing.asked) == ([], ["gpu1"])


async def test_without_a_text_engine_an_engine_describes_as_ever():
    assert await describe(seeing(None)) == Description(text="a fox", engine="GPU1")


async def test_where_the_model_fails_an_engine_describes_and_the_reason_is_noted():
    found = await describe(seeing(FakeTextEngine(BackendUnavailable("It is gone."))))
    assert found == Description(text="a fox", engine="GPU1", notes=("It is gone. GPU1 described it instead.",))


async def test_where_a_budget_has_no_money_for_the_model_an_engine_describes():
    service = seeing(engine := FakeTextEngine(SAYS))
    service._text.till = EmptyTill()
    found = await describe(service)
    assert found.notes == ("Daily budget exceeded: it is all used. GPU1 described it instead.",)
    assert engine.asked == []


async def test_where_nothing_else_can_the_models_failure_is_the_reason():
    describing = FakeDescribing(CapabilityError("No engine here can."))
    with pytest.raises(BackendUnavailable) as failed:
        await describe(seeing(FakeTextEngine(BackendUnavailable("It is gone.")), describing))
    assert failed.value.user_message == "It is gone."


async def test_what_it_sees_passes_the_house_rules():
    engine = FakeTextEngine(SAYS | {"alt": "A naked fox."})
    with pytest.raises(HouseRefusal):
        await describe(seeing(engine, gate=FakeGate("naked")))


async def test_who_is_banned_costs_nothing():
    gate, engine = FakeGate(), FakeTextEngine(SAYS)
    gate.bars = Barred()
    with pytest.raises(Barred):
        await describe(seeing(engine, gate=gate))
    assert engine.asked == []


async def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(RequestRejected):
        await seeing(FakeTextEngine(SAYS), FakeDescribing(CapabilityError("no"))).describe(SourceImage.of(b"x"), ORIGIN)
