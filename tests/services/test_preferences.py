"""Preferences: set in a prompt's words, told with where it comes from, laid under what they ask for."""

import pytest

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import NotAllowed, RequestRejected
from generation.habits import Habits
from generation.person import Person
from generation.request import Draft, Mode, SourceImage
from services.people.preferences import PREFERABLE, PreferenceService, Scope
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.services.test_generation import ANN, House, house

__all__ = ["house"]  # the fixture

ANNE = Person(user_key="test:ann", guild_id="g", channel_id="c")
MOD = Person(user_key="test:mod", guild_id="g", channel_id="c", is_moderator=True)
ALONE = Person(user_key="test:ann")


@pytest.fixture
def kept(house: House) -> PreferenceService:
    return PreferenceService(house.preferences)


async def shown(kept: PreferenceService, person: Person = ANNE) -> list[tuple[str, str, bool]]:
    return [(each.text, str(each.scope), each.is_used) for each in await kept.explain(person)]


async def test_what_is_set_is_laid_under_the_next_request(house: House, kept: PreferenceService) -> None:
    await house.engine("gpu")
    await kept.add(ANNE, Scope.ME, "--steps 30 --size 640x448 --negative blurry")
    job = await house.ask()
    assert (job.request.steps, job.request.width, job.request.height) == (30, 640, 448)
    assert job.request.negative_prompt == "blurry"
    assert (await house.ask(steps=9)).request.steps == 9


async def test_each_value_is_told_with_where_it_comes_from_and_what_goes_before_it(kept: PreferenceService) -> None:
    await kept.add(MOD, Scope.SERVER, "--steps 20 --cfg 5 --size 512x512", is_manager=True)
    await kept.add(MOD, Scope.CHANNEL, "--steps 25")
    await kept.add(ANNE, Scope.ME, "--ar 3:2")
    assert await shown(kept) == [
        ("--ar 3:2", "me", True),
        ("--steps 25", "channel", True),
        ("--size 512x512", "server", False),
        ("--steps 20", "server", False),
        ("--cfg 5", "server", True),
    ]
    assert await shown(kept, ALONE) == [("--ar 3:2", "me", True)]


async def test_more_is_added_and_single_ones_are_dropped(kept: PreferenceService) -> None:
    await kept.add(ANNE, Scope.ME, "--steps 30 --size 640x448")
    await kept.add(ANNE, Scope.ME, "--cfg 4 --steps 31")
    assert [text for text, *_ in await shown(kept)] == ["--size 640x448", "--steps 31", "--cfg 4"]
    await kept.reset(ANNE, Scope.ME, ["--cfg", "size"])
    assert [text for text, *_ in await shown(kept)] == ["--steps 31"]
    await kept.add(ANNE, Scope.ME, "--ar 3:2")
    await kept.reset(ANNE, Scope.ME, ["ar"])
    await kept.reset(ANNE, Scope.ME)
    assert await shown(kept) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a red fox --steps 30", "a red fox"),
        ("--seed 5", "--seed 5 belongs to a single picture"),
        ("--steps 20 --seed 5", "--seed 5 belongs to a single picture"),
        ("--repeat 3", "belongs to a single picture"),
        ("--workflow portrait", "belongs to a single picture"),
        ("--zoom 1.5", "belongs to a single picture"),
        ("--pan left", "belongs to a single picture"),
        ("", "no option"),
        ("   ", "no option"),
        ("--steps many", "Steps cannot be"),
        ("--steps 99999", "Steps cannot be"),
        ("--stpes 20", "stpes"),
    ],
)
async def test_what_is_no_setting_is_refused_by_name_and_changes_nothing(
    kept: PreferenceService, text: str, why: str
) -> None:
    with pytest.raises(RequestRejected, match=why):
        await kept.add(ANNE, Scope.ME, text)
    assert await shown(kept) == []


async def test_an_option_that_is_none_is_named_when_it_is_to_be_dropped(kept: PreferenceService) -> None:
    await kept.add(ANNE, Scope.ME, "--steps 30")
    for option in ("stpes", "seed", "repeat"):
        with pytest.raises(RequestRejected, match=option):
            await kept.reset(ANNE, Scope.ME, [option])
    assert [text for text, *_ in await shown(kept)] == ["--steps 30"]


@pytest.mark.parametrize(
    ("scope", "person", "is_manager", "is_let"),
    [
        (Scope.CHANNEL, ANNE, False, False),
        (Scope.CHANNEL, MOD, False, True),
        (Scope.CHANNEL, ANNE, True, True),
        (Scope.SERVER, ANNE, False, False),
        (Scope.SERVER, MOD, False, False),
        (Scope.SERVER, ANNE, True, True),
        (Scope.ME, ANNE, False, True),
    ],
)
async def test_a_channels_are_for_its_moderators_and_a_servers_for_who_manages_it(
    kept: PreferenceService, scope: Scope, person: Person, is_manager: bool, is_let: bool
) -> None:
    for change in (kept.add(person, scope, "--steps 5", is_manager=is_manager),
                   kept.reset(person, scope, is_manager=is_manager)):  # fmt: skip
        if is_let:
            await change
        else:
            with pytest.raises(NotAllowed):
                await change


async def test_alone_with_the_bot_there_are_only_your_own(kept: PreferenceService) -> None:
    for scope in (Scope.CHANNEL, Scope.SERVER):
        with pytest.raises(RequestRejected, match="no server"):
            await kept.add(ALONE, scope, "--steps 5", is_manager=True)


async def test_a_setting_that_no_engine_can_meet_is_left_out_with_a_note(house: House, kept: PreferenceService) -> None:
    gpu = FakeBackend("gpu", capabilities=Capabilities(modes=frozenset(Mode), models=(ModelInfo(name="a", title="a"),)))
    await house.rig.add(gpu)
    await kept.add(ANNE, Scope.ME, "--model gone --steps 30")
    job = await house.ask()
    assert job.request.model != "gone"
    (note,) = [each for each in job.notes if "settings" in each]
    assert note.startswith("your settings without `--model gone`: ")
    assert job.request.steps == 30  # the others hold
    with pytest.raises(Exception, match="other"):  # what was said itself is still refused
        await house.ask(model="other")


async def test_an_engine_of_the_settings_that_is_gone_keeps_nobody_from_drawing(
    house: House, kept: PreferenceService
) -> None:
    await house.engine("gpu")
    await kept.add(ANNE, Scope.ME, "--engine nowhere")
    job = await house.ask()
    assert job.lane == "gpu"
    assert any("nowhere" in note for note in job.notes)


async def test_each_unfit_setting_is_left_out_by_name_and_the_nearer_scope_of_the_others_holds(
    house: House, kept: PreferenceService
) -> None:
    models = (ModelInfo(name="a", title="a"),)
    capabilities = Capabilities(modes=frozenset(Mode), models=models, samplers=("Euler a",))
    await house.rig.add(FakeBackend("gpu", capabilities=capabilities))
    await kept.add(MOD, Scope.SERVER, "--engine nowhere --steps 20 --cfg 5", is_manager=True)
    await kept.add(ANNE, Scope.ME, "--model gone --steps 30 --size 640x448")
    job = await house.ask()
    request = job.request
    assert (request.model, request.steps, request.cfg_scale) == (None, 30, 5)
    assert (request.width, request.height) == (640, 448)
    notes = [each.split(":")[0] for each in job.notes if "settings" in each]
    assert sorted(notes) == ["your settings without `--backend nowhere`", "your settings without `--model gone`"]


async def test_size_and_steps_of_the_settings_leave_a_workflow_and_an_input_picture_as_they_are(
    house: House, kept: PreferenceService
) -> None:
    await house.engine("gpu")
    await kept.add(ANNE, Scope.ME, "--size 640x448")
    picture = SourceImage(media_id="m1", width=320, height=256)
    found = await house.service._chooser.options(Draft(prompt="a fox", init_image=picture), ANN)
    assert (found[0].request.width, found[0].request.height) == (320, 256)


def test_what_may_be_kept_is_what_decides_how_every_picture_looks() -> None:
    assert {
        "steps", "width", "height", "aspect", "model", "negative_prompt", "styles", "loras", "backend", "cfg_scale",
        "sampler", "batch_size",
    } <= PREFERABLE  # fmt: skip
    assert not {"prompt", "seed", "mode", "workflow", "zoom", "pan", "init_image", "mask_image"} & PREFERABLE


def test_the_store_is_the_one_that_requests_read(house: House, kept: PreferenceService) -> None:
    assert isinstance(house.preferences, PreferenceStore)
    assert kept._store is house.preferences


async def test_how_answers_are_wanted_is_merged_and_shown_with_its_place(kept: PreferenceService) -> None:
    await kept.add(MOD, Scope.SERVER, "--spoiler --previews off", is_manager=True)
    await kept.add(MOD, Scope.CHANNEL, "--pings no")
    await kept.add(ANNE, Scope.ME, "--steps 30 --spoiler off", habits=Habits(dm=True))
    assert await kept.habits(ANNE) == Habits(spoiler=False, previews=False, pings=False, dm=True)
    assert await kept.habits(ALONE) == Habits(spoiler=False, dm=True)
    assert await shown(kept) == [
        ("--steps 30", "me", True),
        ("--spoiler off", "me", True),
        ("--dm on", "me", True),
        ("--pings off", "channel", True),
        ("--spoiler on", "server", False),
        ("--previews off", "server", True),
    ]


async def test_habits_are_dropped_alone_or_with_everything(kept: PreferenceService) -> None:
    await kept.add(ANNE, Scope.ME, "--private --dm --steps 30")
    await kept.reset(ANNE, Scope.ME, ["--private", "steps"])
    assert await shown(kept) == [("--dm on", "me", True)]
    await kept.add(ANNE, Scope.ME, "--cfg 4")
    assert await kept.habits(ANNE) == Habits(dm=True)
    await kept.reset(ANNE, Scope.ME)
    assert await shown(kept) == []


async def test_a_servers_habits_are_for_who_manages_it(kept: PreferenceService) -> None:
    with pytest.raises(NotAllowed):
        await kept.add(ANNE, Scope.SERVER, "--private")
    with pytest.raises(NotAllowed):
        await kept.add(ANNE, Scope.CHANNEL, habits=Habits(private=True))
