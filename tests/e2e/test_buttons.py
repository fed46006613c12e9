"""Everything that can be pressed under a picture, by its owner and by others, now and after a restart."""

from __future__ import annotations

from functools import partial

import pytest

from generation.errors import BackendUnavailable, OutOfMemory
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, entries, is_finished, job_id, labels, more, own
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend
from tests.waiting import until

BUTTONS = {"Re-roll", "🎲", "Remix", "Vary", "Run again", "Try smaller", "⬆️", "⚡"}
OF_A_BATCH = ["All files", "More steps", "Size", "Sampler", "Model", "Flux it", "Info", "Report", "Delete"]
OF_A_PICTURE = [
    "Vary a little", "Continue to the left", "Continue to the right", "Continue upwards", "Continue downwards",
    "More steps", "Size", "Sampler", "Model", "Flux it", "Info", "Report",
]  # fmt: skip
SEEDED = "!dream a red fox --seed 42 --steps 20 --size 512x512"


async def pressed(easel: Easel, message: Message, button: str, user: str = "mia") -> Message:
    """Press a button that makes a new picture; wait for it."""
    person = easel.server.user(user)
    result = await (person.click if button in BUTTONS else partial(more, person))(message, button)
    assert not result.failed
    assert result.acknowledged_after_s < 1.0
    return await easel.finished(result.original)


def flux_app() -> FakeBackend:
    backend = FakeBackend("flux")
    backend.kind = "gradio_flux"  # type: ignore[misc]  # of this one alone
    return backend


async def test_a_full_message_has_its_controls_in_order(start: StartEasel) -> None:
    easel = await start(rich_backend(), flux_app())
    answer = await easel.dream("!dream a fox --backend gpu1 --batch 4")
    assert labels(answer) == [["U1", "U2", "U3", "U4", "🎲"], ["V1", "V2", "V3", "V4", "✏️"], ["More…"]]
    menu = entries(answer)
    assert [entry for entry in menu if entry in OF_A_BATCH] == OF_A_BATCH
    assert not {"Vary a little", "Continue to the left", "Studio"} & set(menu), "only what can work here"
    single = await easel.dream("!dream a fox --backend gpu1")
    assert labels(single) == [["🎲 Re-roll", "✏️ Remix", "🪄 Vary"], ["⬆️", "🔭", "⚡", "⭐", "🗑️"], ["More…"]]
    assert [entry for entry in entries(single) if entry in OF_A_PICTURE] == OF_A_PICTURE
    assert not {"All files", "Delete"} & set(entries(single))


async def test_reroll_draws_a_new_seed_and_keeps_the_rest(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED + " --sampler euler_a")
    again = await pressed(easel, answer, "Re-roll")
    assert again is not answer
    assert again.reference is answer
    first, second = engine.requests
    assert second.seed != 42
    assert (second.prompt, second.steps, second.sampler) == (first.prompt, first.steps, first.sampler)
    assert len(own(discord.channel)) == 2


async def test_others_may_reroll_and_it_is_theirs(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    again = await pressed(easel, answer, "Re-roll", "ann")
    head = again.content.split("\n")[0]
    link = f"https://discord.com/channels/{discord.guild.id}/{discord.channel.id}/{answer.id}"
    assert f"— {discord.user('ann').mention}" in head
    assert f"from {discord.user('mia').mention}'s [picture](<{link}>)" in head
    assert discord.user("mia").mention not in again.pings
    assert (await easel.job(job_id(again))).user_key == f"discord:{discord.user('ann').id}"


async def test_others_remix_a_picture_and_it_is_theirs(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    ann = discord.user("ann")
    form = (await ann.click(await easel.dream(SEEDED), "Remix")).modal
    assert form.fields["prompt"]["value"] == "a red fox"
    result = await ann.submit(form, {"prompt": "a blue fox"})
    remixed = await easel.finished(result.original)
    assert remixed.content.startswith(f"**a blue fox** — {ann.mention}")
    assert (await easel.job(job_id(remixed))).user_key == f"discord:{ann.id}"
    assert [request.prompt for request in engine.requests] == ["a red fox", "a blue fox"]


async def test_others_may_not_edit_what_still_waits(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(hold=True))
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    refused = await discord.user("ann").click(answer, "Edit")
    assert refused.modal is None
    assert refused.ephemeral
    assert "Only the person who asked" in refused.message.content


async def test_more_steps_keeps_the_seed(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    await pressed(easel, await easel.dream(SEEDED), "More steps")
    assert (engine.requests[1].steps, engine.requests[1].seed) == (30, 42)


async def test_edit_opens_a_filled_form_and_draws_what_was_typed(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED + " --no dogs")
    mia = discord.user("mia")
    form = (await mia.click(answer, "Remix")).modal
    assert {name: item["value"] for name, item in form.fields.items()} == {
        "prompt": "a red fox", "negative": "dogs", "size": "512x512", "steps_cfg": "20, 7", "seed": "42",
    }  # fmt: skip
    values = {"prompt": "a blue fox", "negative": "", "size": "768x512", "steps_cfg": "25, 5.5", "seed": "43"}
    result = await mia.submit(form, values)
    await easel.finished(result.original)
    request = engine.requests[1]
    assert (request.prompt, request.negative_prompt.strip(), request.seed) == ("a blue fox", "", 43)
    assert (request.width, request.height, request.steps, request.cfg_scale) == (768, 512, 25, 5.5)


async def test_edit_keeps_the_source_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream("!dream in autumn", attachments=[("cat.png", png())])
    mia = discord.user("mia")
    result = await mia.submit((await mia.click(answer, "Remix")).modal, {"prompt": "in winter"})
    await easel.finished(result.original)
    assert engine.requests[1].init_image == engine.requests[0].init_image


async def test_a_wrong_value_in_the_form_is_told_to_that_person(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    mia = discord.user("mia")
    seen = [answer]
    for values, words in (({"size": "1x1"}, "size"), ({"steps_cfg": "many"}, "steps"), ({"seed": "x"}, "seed")):
        result = await mia.submit((await mia.click(answer, "Remix")).modal, values)
        assert result.ephemeral
        assert words in result.message.content
        seen.append(result.message)
        assert own(discord.channel) == seen


async def test_size_opens_a_form_and_keeps_the_seed(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED)
    mia = discord.user("mia")
    result = await mia.submit((await more(mia, answer, "Size")).modal, {"size": "640 x 384"})
    await easel.finished(result.original)
    assert (engine.requests[1].width, engine.requests[1].height, engine.requests[1].seed) == (640, 384, 42)


async def test_a_shape_is_chosen_from_a_menu(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED)
    mia = discord.user("mia")
    form = (await more(mia, answer, "Size")).modal
    await easel.finished((await mia.submit(form, {"Shape": "Wide 16:9"})).original)
    request = engine.requests[1]
    assert (request.width / request.height, request.seed) == (pytest.approx(16 / 9, rel=0.02), 42)
    form = (await more(mia, answer, "Size")).modal
    await easel.finished((await mia.submit(form, {"Shape": "Wide 16:9", "size": "320x256"})).original)
    assert (engine.requests[2].width, engine.requests[2].height) == (320, 256), "pixels that were typed win"


async def test_the_model_menu_has_pages_and_keeps_the_seed(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED)
    mia = discord.user("mia")
    menu = (await more(mia, answer, "Model")).message
    assert menu.ephemeral
    assert "page 1 of 3" in menu.content
    await mia.click(menu, "Next")
    assert "page 2 of 3" in menu.content
    await mia.click(menu, "Next")
    assert labels(menu)[1] == ["Back", "Next"]
    assert menu.buttons == ["Back"]
    result = await mia.select(menu, "Choose a model", ["model_59"])
    assert not result.failed
    await discord.wait_for(lambda: len(own(discord.channel)) == 3 and is_finished(own(discord.channel)[-1]))
    assert (engine.requests[1].model, engine.requests[1].seed) == ("model_59", 42)
    assert not own(discord.channel)[-1].ephemeral


async def test_the_sampler_menu_draws_with_the_chosen_one(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    answer = await easel.dream(SEEDED)
    mia = discord.user("mia")
    menu = (await more(mia, answer, "Sampler")).message
    await mia.select(menu, "Choose a sampler", ["Euler a"])
    await discord.wait_for(lambda: is_finished(own(discord.channel)[-1]) and len(own(discord.channel)) == 3)
    assert (engine.requests[1].sampler, engine.requests[1].seed) == ("Euler a", 42)


async def test_flux_it_draws_the_same_on_the_other_engine(start: StartEasel) -> None:
    first, second = rich_backend(), flux_app()
    easel = await start(first, second)
    answer = await easel.dream(SEEDED + " --backend gpu1 --model model_03")
    other = await pressed(easel, answer, "Flux it")
    [request] = second.requests
    assert (request.prompt, request.seed, request.model) == ("a red fox", 42, None)
    assert "on flux" in other.content


async def test_another_engine_goes_by_its_own_name_and_one_that_is_down_is_not_offered(start: StartEasel) -> None:
    first, second = rich_backend(), FakeBackend("grid")
    easel = await start(first, second)
    answer = await easel.dream(SEEDED + " --backend gpu1")
    assert "Draw on grid" in entries(answer)
    assert "Flux it" not in entries(answer)
    assert "⚡" not in str(labels(answer))
    assert "on grid" in (await pressed(easel, answer, "Draw on grid")).content
    second.is_down = BackendUnavailable()
    await easel.now.registry.refresh("grid")
    assert "Draw on grid" not in entries(await easel.dream(SEEDED + " --backend gpu1 --batch 2"))


async def test_info_gives_seed_and_line_to_copy(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream(SEEDED)
    info = (await more(discord.user("ann"), answer, "Info")).message
    assert info.ephemeral
    assert "```\n42\n```" in info.content
    assert "!dream a red fox" in info.content
    assert "--seed 42" in info.content


async def test_info_on_what_was_made_from_a_picture_says_that_it_takes_one(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel, mia = await start(rich_backend()), discord.user("mia")
    drawn = await easel.dream("!dream a red fox")
    for button, words in (
        ("Vary", "with the picture it came from"),
        ("🔭", "with the picture it came from and its mask"),
    ):
        made = await easel.finished((await mia.click(drawn, button)).original)
        info = await more(mia, made, "Info")
        assert f"To make it again, {words}\n```\n!dream a red fox" in info.message.content


async def test_cancel_while_running_says_so_and_frees_the_engine(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.user("mia").click(answer, "Cancel")
    await easel.finished(answer)
    assert "~~a red fox~~" in answer.content
    assert labels(answer) == [["🎲 Run again", "✏️ Edit", "🗑️"]]
    await until(lambda: engine.cancelled)
    engine.release()
    assert (await pressed(easel, answer, "Run again")).attachments


@pytest.mark.parametrize("button", ["Cancel", "🗑️"])
async def test_others_may_not_cancel_or_delete_but_moderators_may(
    discord: DiscordServer, start: StartEasel, button: str
) -> None:
    engine = FakeBackend(hold=button == "Cancel")
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    if button == "🗑️":
        await easel.finished(answer)
    refused = await discord.user("ann").click(answer, button)
    assert refused.ephemeral
    assert "Only the person who asked" in refused.message.content
    assert not answer.deleted
    moderator = discord.user("max", permissions=("MANAGE_MESSAGES",))
    asked = await moderator.click(answer, button)
    if button == "🗑️":
        await moderator.click(asked.message, "Delete")
    await discord.wait_for(lambda: answer.deleted or "cancelled (by @\u200bmax)" in answer.content)


async def test_delete_takes_message_and_picture_away(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    image = (await easel.job(job_id(answer))).result.images[0]
    mia = discord.user("mia")
    asked = await mia.click(answer, "🗑️")
    assert asked.ephemeral
    assert asked.message.content == "Delete this picture for good?"
    assert not answer.deleted
    assert await easel.now.media.get(image.media_id) is not None
    await mia.click(asked.message, "Delete")
    await discord.wait_for(lambda: answer.deleted)
    assert asked.message.content == "Deleted."
    assert await easel.now.media.get(image.media_id) is None


async def test_editing_a_waiting_job_puts_the_new_one_in_its_place(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    await easel.answer_to(await easel.say("!dream first", user="ann"))
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    mia = discord.user("mia")
    result = await mia.submit((await mia.click(answer, "Edit")).modal, {"prompt": "a blue fox"})
    await easel.finished(answer)
    assert "~~a red fox~~" in answer.content
    engine.release(2)
    await easel.finished(result.original)
    assert [request.prompt for request in engine.requests] == ["first", "a blue fox"]


async def test_out_of_memory_offers_something_smaller(start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    engine.fail = [OutOfMemory()]
    answer = await easel.dream("!dream a fox --size 1024x1024 --steps 40")
    assert "🔽 Try smaller" in labels(answer)[1]
    await pressed(easel, answer, "Try smaller")
    assert (engine.requests[-1].width, engine.requests[-1].height, engine.requests[-1].steps) == (704, 704, 20)


async def test_all_buttons_work_after_a_restart_and_a_month(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine, flux_app())
    answer = await easel.dream("!dream a fox --batch 4 --backend gpu1")
    await easel.kill()
    easel.clock.offset_s = 30 * 24 * 3600.0
    await easel.start()
    mia = discord.user("mia")
    for button in ("🎲", "More steps", "Flux it"):
        assert (await pressed(easel, answer, button)).attachments
    for opened in (await mia.click(answer, "✏️"), await more(mia, answer, "Size")):
        result = await mia.submit(opened.modal, {"size": "256x256"})
        assert (await easel.finished(result.original)).attachments
    for button in ("Model", "Sampler"):
        menu = (await more(mia, answer, button)).message
        assert menu.controls[0]["options"]
    assert "```" in (await more(mia, answer, "Info")).message.content
    result = await more(mia, answer, "All files")
    await discord.wait_for(lambda: result.followups)
    assert result.followups[0].ephemeral
    assert "no longer kept" in result.followups[0].content
    await mia.click((await more(mia, answer, "Delete")).message, "Delete")
    await discord.wait_for(lambda: answer.deleted)


async def test_a_refused_press_is_told_to_that_person_alone(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream()
    engine.is_down = BackendUnavailable("gpu1 is not answering.")
    entry = easel.now.registry.get("fake")
    mia = discord.user("mia")
    for button in ("Re-roll", "Remix"):
        entry.capabilities, entry.checked_at = None, float("-inf")
        result = await mia.click(answer, button)
        if button == "Remix":
            result = await mia.submit(result.modal)
        await discord.wait_for(lambda result=result: result.followups)
        assert result.followups[0].ephemeral
        assert "gpu1 is not answering." in result.followups[0].content
        assert discord.user("ann").sees(discord.channel)[1:] == [answer]


async def test_a_button_of_another_version_says_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    answer.controls[0]["custom_id"] = f"e1:animate:{job_id(answer)}"
    result = await discord.user("mia").click(answer, "Re-roll")
    assert result.ephemeral
    assert "older version" in result.message.content


async def test_a_button_of_a_job_nobody_knows_says_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream()
    await easel.now.database.write("DELETE FROM jobs")
    result = await discord.user("mia").click(answer, "Re-roll")
    assert result.ephemeral
    assert "There is no job" in result.message.content
