"""Looks: which words they bring, whose they are, and what goes before what."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from generation.errors import NotAllowed, RequestRejected
from generation.look_codes import is_code, new_code
from generation.person import Person
from generation.request import Draft, Lora, Mode, SourceImage
from generation.result import JobResult, StoredImage
from services.drawing.looks import LookService, words_of
from services.drawing.styles import share_of, weighed
from store.looks import LookStore, SavedLook
from tests.jobs import make_job
from tests.store.ready import open_database
from utils.clock import SystemClock

MIA = Person(user_key="discord:1", guild_id="7")
ANN = Person(user_key="discord:2", guild_id="7")
FAR = Person(user_key="discord:3", guild_id="8")


class Everything:
    """A catalog in which everything is known but the LoRA `gone`."""

    def without_unknown(self, draft: Draft, person: Person) -> tuple[Draft, tuple[str, ...]]:
        kept = tuple(lora for lora in draft.loras if lora.name != "gone")
        return replace(draft, loras=kept), ("LoRA gone left out",) if kept != draft.loras else ()


class Kept:
    """Keeps any picture."""

    async def take_input(self, data: bytes) -> SourceImage:
        return SourceImage.of(data)

    async def get(self, media_id: str) -> Any:
        file = io.BytesIO()
        Image.new("RGB", (8, 8), media_id).save(file, "PNG")
        return SimpleNamespace(data=file.getvalue())


@pytest.fixture
async def looks(tmp_path: Path) -> AsyncIterator[LookService]:
    database = await open_database(tmp_path / "easel.sqlite3")
    catalog: Any = Everything()
    media: Any = Kept()
    yield LookService(store=LookStore(database), catalog=catalog, media=media, clock=SystemClock())
    await database.close()


def test_a_code_has_letters_and_digits_that_are_not_mistaken() -> None:
    codes = [new_code() for __ in range(200)]
    assert all(is_code(code) and not set(code) & set("il1o0") for code in codes)
    assert not any(map(is_code, ("snow", "1234", "k7f", "k7f22", "K7F2", "k7-2", "")))


async def test_a_servers_style_goes_before_easels_of_the_same_name(looks: LookService) -> None:
    await looks.from_words(MIA, "cyberpunk", "our neon, rain", for_server=True, is_manager=True)
    for person, expected in ((ANN, ("a boat, our neon, rain", ())), (FAR, ("a boat", ("cyberpunk",)))):
        draft, _ = await looks.laid(Draft(prompt="a boat", styles=("cyberpunk",)), person)
        assert (draft.prompt, draft.styles) == expected


async def test_what_was_said_goes_before_the_look(looks: LookService) -> None:
    own = Draft(
        prompt="ink", negative_prompt="blur", sampler="Euler", loras=(Lora(name="a", weight=0.5), Lora(name="gone"))
    )
    store = looks._store
    await store.add(
        SavedLook(code="k7f2", owner=MIA.user_key, name="mine", draft=own, is_shared=True), SystemClock().now()
    )
    reply = Draft(
        prompt="a boat", negative_prompt="people", sampler="DDIM", loras=(Lora(name="a", weight=1.0),), looks=("k7f2",)
    )
    draft, notes = await looks.laid(reply, ANN)
    assert (draft.prompt, draft.negative_prompt, draft.sampler) == ("a boat, ink", "people", "DDIM")
    assert draft.loras == (Lora(name="a", weight=1.0),)
    assert notes == ("the look: LoRA gone left out",)
    half, _ = await looks.laid(Draft(prompt="a boat", looks=("k7f2:0.5",)), ANN)
    assert half.loras == (Lora(name="a", weight=0.25),)


async def test_names_are_ones_own_and_taken_once(looks: LookService) -> None:
    await looks.from_words(MIA, "Ink", "ink")
    with pytest.raises(RequestRejected, match="already"):
        await looks.from_words(MIA, "ink", "ink again")
    await looks.from_words(ANN, "ink", "ink of ann")
    with pytest.raises(RequestRejected, match="no colon"):
        await looks.from_words(MIA, "a:0.5", "x")
    with pytest.raises(NotAllowed):
        await looks.from_words(MIA, "b", "x", for_server=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("neon", ("neon", 1.0)), ("neon:0.7", ("neon", 0.7)), ("neon : ,5", ("neon", 0.5)), ("a:b", ("a:b", 1.0))],
)
def test_a_weight_stands_behind_a_colon(text: str, expected: tuple[str, float]) -> None:
    assert weighed(text) == expected


def test_a_weight_is_a_share_of_the_phrases() -> None:
    assert share_of("a, b, c, d", 0.5) == "a, b"
    assert share_of("a, b, c, d", 0.1) == "a"
    assert share_of("a, b", 1.0) == "a, b"


def test_the_colours_of_a_look_are_words_for_every_engine() -> None:
    look = SavedLook(
        code="k7f2", owner="x", name="n", draft=Draft(prompt="ink"), palette=("#14204b", "#15214c", "#e8801f")
    )
    assert words_of(look) == "ink, palette of navy, orange"


@pytest.mark.parametrize("asked", [{"looks": ("k7f2",)}, {"styles": ("K7F2",)}])
async def test_a_look_lends_its_picture_to_what_is_painted_in_its_style(looks: LookService, asked: Any) -> None:
    now = SystemClock().now()
    look = SavedLook(code="k7f2", owner=MIA.user_key, name="mine", draft=Draft(prompt="ink"), is_shared=True)
    await looks._store.add(replace(look, picture=b"the look"), now)
    source, brought = SourceImage.of(b"a boat"), SourceImage.of(b"brought along")
    draft = Draft(mode=Mode.RESTYLE, init_image=source, **asked)
    lent, _ = await looks.laid(draft, ANN)
    assert (lent.more_images, lent.looks, lent.styles) == ((SourceImage.of(b"the look"),), (), ())
    own, _ = await looks.laid(replace(draft, more_images=(brought,)), ANN)
    assert own.more_images == (brought,)
    await looks._store.add(replace(look, code="w3rd", name="words"), now)
    with pytest.raises(RequestRejected, match="has no picture"):
        await looks.laid(replace(draft, looks=("w3rd",), styles=()), ANN)
    engines_own, _ = await looks.laid(replace(draft, looks=(), styles=("painting",)), ANN)
    assert engines_own.styles == ("painting",)


async def test_the_look_of_one_picture_of_several_has_the_colours_of_that_one(looks: LookService) -> None:
    of_image = {"width": 8, "height": 8, "media_type": "image/png", "size_bytes": 9}
    images = tuple(StoredImage(media_id=colour, seed=1, **of_image) for colour in ("red", "blue"))
    job = make_job(result=JobResult(images=images, seconds=1.0, backend="gpu"))
    palettes = [(await looks.from_picture(MIA, job, number)).palette for number in range(2)]
    assert palettes[0] != palettes[1]
    assert (await looks.from_picture(MIA, job, 7)).palette == palettes[0]
