"""Preferences come back as they were set, one draft for each scope."""

import pytest

from generation.habits import Habits
from generation.request import Draft, Lora, Mode, SourceImage
from store.preferences import PreferenceStore

EVERYTHING = Draft(
    prompt="in ink",
    negative_prompt="",
    mode=Mode.IMG2IMG,
    width=768,
    height=512,
    aspect=(3, 2),
    steps=30,
    cfg_scale=7.5,
    sampler="Euler a",
    scheduler="Karras",
    model="sdxl",
    vae="ft",
    clip_skip=2,
    loras=(Lora(name="ink", weight=0.5),),
    seed=0,
    batch_size=4,
    denoising_strength=0.0,
    init_image=SourceImage.of(b"a"),
    mask_image=SourceImage.of(b"b"),
    upscale_factor=2.0,
    backend="gpu1",
)


@pytest.fixture
def preferences(database):
    return PreferenceStore(database)


async def test_nothing_is_preferred_at_first(preferences):
    assert await preferences.get("user:1") == Draft()


@pytest.mark.parametrize("draft", [EVERYTHING, Draft(), Draft(steps=20)], ids=["everything", "nothing", "steps"])
async def test_preferences_come_back_as_they_were_set(preferences, draft):
    await preferences.set("user:1", draft)
    assert await preferences.get("user:1") == draft


async def test_several_scopes_are_read_together_in_their_order(preferences):
    await preferences.set("guild:1", Draft(steps=20), Habits(dm=True))
    await preferences.set("user:1", Draft(model="flux"), Habits(private=True))
    scopes = ["user:1", "channel:1", "guild:1"]
    assert await preferences.each(scopes) == [Draft(model="flux"), Draft(steps=20)]
    assert await preferences.each_habits(scopes) == [Habits(private=True), Habits(dm=True)]


async def test_setting_replaces_and_scopes_do_not_mix(preferences):
    await preferences.set("user:1", EVERYTHING)
    await preferences.set("guild:1", Draft(model="flux"))
    await preferences.set("user:1", Draft(steps=20))
    assert await preferences.get("user:1") == Draft(steps=20)
    assert await preferences.get("guild:1") == Draft(model="flux")


async def test_cleared_preferences_are_gone(preferences):
    await preferences.set("user:1", EVERYTHING)
    await preferences.clear("user:1")
    await preferences.clear("user:2")
    assert await preferences.get("user:1") == Draft()


async def test_what_a_newer_version_wrote_besides_is_passed_over(preferences, database):
    await preferences.set("user:1", EVERYTHING)
    await database.write("UPDATE preferences SET draft = json_set(draft, '$.of_the_future', 1)")
    assert await preferences.get("user:1") == EVERYTHING


async def test_how_answers_are_wanted_comes_back_beside_the_draft(preferences, database):
    assert await preferences.habits("user:1") == Habits()
    await preferences.set("user:1", EVERYTHING, Habits(private=True, pings=False))
    assert await preferences.get("user:1") == EVERYTHING
    assert await preferences.habits("user:1") == Habits(private=True, pings=False)
    await database.write("UPDATE preferences SET draft = json_set(draft, '$.habits.of_the_future', 1)")
    assert await preferences.habits("user:1") == Habits(private=True, pings=False)
    await preferences.set("user:1", Draft())
    assert await preferences.habits("user:1") == Habits()
