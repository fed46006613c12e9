"""Going on from a picture: its engine and model first, otherwise a note. What is asked for at once stays together."""

from dataclasses import replace

import pytest

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import CapabilityError
from generation.job import Job, Origin
from generation.request import Draft, Lora, Mode, SourceImage
from services.drawing.continuing import Parent
from services.drawing.splitting import repeated
from tests.services.test_generation import ANN, House, house

__all__ = ["house"]

BOB = Origin(door="test", user_id="bob", guild_id="g", channel_id="c")
SOURCE = SourceImage(media_id="s", width=64, height=64)
LARGER = Draft(mode=Mode.UPSCALE, init_image=SOURCE, upscale_factor=2.0)
VARIED = Draft(prompt="a fox", init_image=SOURCE, denoising_strength=0.4)


def having(*models: str, **more: object) -> Capabilities:
    infos = tuple(ModelInfo(name=name, title=name) for name in models)
    return Capabilities(modes=frozenset(Mode), models=infos, samplers=("Euler", "Euler a"), **more)  # type: ignore[arg-type]


async def drawn_with(house: House, job: Job, model: str) -> Job:
    """Let a picture have been drawn by a model that nobody named."""
    await house.rig.database.write(
        "UPDATE jobs SET result = json_set(result, '$.model', ?) WHERE id = ?", (model, job.id)
    )
    return await house.rig.row(job)


async def go_on(house: House, job: Job, draft: Draft, origin: Origin = ANN) -> Job:
    """Make something from a picture as a button or a message's menu does."""
    return (await house.service.submit(draft, origin, parent=Parent(job=job, changes=draft))).job


@pytest.mark.parametrize("draft", [LARGER, VARIED])
async def test_whatever_goes_on_from_a_picture_goes_to_its_engine(house: House, draft: Draft) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    await house.engine("annes", "user:ann")
    old = await house.ask(origin=BOB, backend="grid")
    job = await go_on(house, old, draft)
    assert (job.lane, job.is_pinned, job.notes) == ("grid", True, ())


async def test_preferences_of_who_presses_do_not_change_what_goes_on(house: House) -> None:
    await house.engine("gpu", capabilities=having("dream", "flux"))
    await house.engine("grid", capabilities=having("dream", "flux"))
    old = await house.ask(origin=BOB, backend="gpu")
    mine = Draft(backend="grid", model="flux", sampler="Euler a", negative_prompt="dogs", steps=5)
    await house.preferences.set("user:test:ann", mine)
    job = (await house.service.again(old.id, ANN)).job
    assert (job.lane, job.request.model, job.request.sampler) == ("gpu", old.request.model, None)
    assert (job.request.negative_prompt, job.request.steps) == ("", old.request.steps)
    job = await go_on(house, old, VARIED)
    assert (job.lane, job.request.model, job.request.sampler) == ("gpu", old.request.model, None)


async def test_the_model_that_drew_it_draws_it_again_whatever_is_loaded_since(house: House) -> None:
    gpu = await house.engine("gpu", capabilities=having("dream", "flux"))
    old = await drawn_with(house, await house.ask(), "flux")
    assert old.request.model is None
    for job in ((await house.service.again(old.id, ANN)).job, await go_on(house, old, VARIED)):
        await house.rig.settle()
        assert gpu.requests[-1].model == "flux"
        assert job.notes == ()
    assert (await house.service.again(old.id, ANN, Draft(model="dream"))).job.request.model == "dream"


async def test_a_model_that_left_its_engine_is_named_in_a_note(house: House) -> None:
    await house.engine("gpu", capabilities=having("dream"))
    old = await drawn_with(house, await house.ask(), "flux")
    job = (await house.service.again(old.id, ANN)).job
    assert (job.lane, job.request.model) == ("gpu", None)
    assert job.notes == ("model flux of the picture before is no longer there",)


async def test_a_picture_of_an_engine_that_left_is_drawn_elsewhere_and_a_note_says_so(house: House) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    old = await house.ask(backend="grid")
    await house.rig.registry.remove("grid")
    job = (await house.service.again(old.id, ANN)).job
    assert (job.lane, job.is_pinned) == ("gpu", False)
    assert job.notes == ("on Gpu, not on grid like the picture before: it is no longer connected",)


async def test_a_private_engine_answers_for_nobody_else(house: House) -> None:
    own = await house.engine("annes", "user:ann", capabilities=having("rare"))
    await house.engine("gpu", capabilities=having("dream"))
    old = await house.ask(model="rare")
    assert old.lane == "annes"
    for job in ((await house.service.again(old.id, BOB)).job, await go_on(house, old, VARIED, BOB)):
        await house.rig.settle()
        assert job.lane == "gpu"
        assert "on Gpu, not on Annes like the picture before: it is somebody's own" in job.notes[0]
    assert len(own.requests) == 1
    assert (await house.service.again(old.id, ANN)).job.lane == "annes"


async def test_ones_own_engine_does_not_take_over_from_the_parents(house: House) -> None:
    await house.engine("gpu")
    old = await house.ask(origin=BOB)
    own = await house.engine("annes", "user:ann")
    assert (await house.service.again(old.id, ANN)).job.lane == "gpu"
    assert (await go_on(house, old, LARGER)).lane == "gpu"
    assert own.requests == []


async def test_elsewhere_only_the_names_that_are_not_there_are_left_out(house: House) -> None:
    lora = Lora(name="ink")
    await house.engine("grid", capabilities=having("rare", loras=("ink",), vaes=("kl",)))
    await house.engine("gpu", capabilities=having("dream", loras=("ink",), vaes=("other",)))
    old = await house.ask(backend="grid", model="rare", loras=(lora,), vae="kl", sampler="Euler")
    await house.rig.registry.remove("grid")
    job = (await house.service.again(old.id, ANN)).job
    assert (job.request.model, job.request.vae, job.request.loras, job.request.sampler) == (
        None,
        None,
        (lora,),
        "Euler",
    )
    assert job.notes[0].endswith("no longer connected · left out: VAE kl, model rare")


async def test_a_name_that_is_asked_for_anew_is_never_left_out(house: House) -> None:
    await house.engine("grid", capabilities=having("rare"))
    await house.engine("gpu", capabilities=having("dream"))
    old = await house.ask(backend="grid", model="rare")
    job = (await house.service.again(old.id, ANN, Draft(model="dream"))).job
    assert (job.lane, job.request.model) == ("gpu", "dream")
    assert "it has no model “dream”" in job.notes[0]
    with pytest.raises(CapabilityError, match="nowhere"):
        await house.service.again(old.id, ANN, Draft(model="nowhere"))


async def test_an_engine_that_cannot_enlarge_says_so_in_a_note(house: House) -> None:
    await house.engine("plain", capabilities=replace(having("dream"), modes=frozenset({Mode.TXT2IMG})))
    await house.engine("gpu")
    old = await house.ask(backend="plain")
    job = await go_on(house, old, LARGER)
    assert job.lane == "gpu"
    assert job.notes[0] == "on Gpu, not on Plain like the picture before: it cannot do that"


async def test_a_repeat_stays_on_one_engine(house: House) -> None:
    await house.engine("gpu", hold=True)
    await house.engine("grid", hold=True)
    views = await house.service.submit_all(repeated(Draft(prompt="a fox"), 4), ANN)
    assert len({view.job.lane for view in views}) == 1
    other = await house.service.submit(Draft(prompt="a hare"), BOB)
    assert other.job.lane != views[0].job.lane, "what is asked for by itself goes where it is drawn sooner"


async def test_a_repeat_goes_on_elsewhere_with_a_note_where_its_engine_dies(house: House) -> None:
    await house.engine("gpu", hold=True)
    await house.engine("grid", hold=True)
    views = await house.service.submit_all(repeated(Draft(prompt="a fox"), 3), ANN)
    assert all(set(view.job.candidates) == {"gpu", "grid"} and not view.job.is_pinned for view in views)
