"""`/cost`: your own books, those of a server for its managers, and what a server may spend."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import reply_to
from tests.e2e.test_enhance import answer_of
from tests.paid import PaidBackend
from tests.services.wording.rig import FakeTextEngine


async def test_cost_shows_your_own_by_day_person_and_engine(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(PaidBackend(), has_fallback=False, money={"person_usd": 1})
    mia = discord.user("mia")
    nothing = (await mia.slash(discord.channel, "cost mine")).original
    assert nothing.ephemeral
    assert "$0.00 of $1.00 used today (you)" in nothing.content
    assert "**$0.00** in 7 days" in nothing.content
    await easel.dream("!dream a fox --batch 2")
    await easel.dream("!dream an owl", user="ann")
    shown = (await mia.slash(discord.channel, "cost mine", days=1)).original.content
    day = f"{easel.clock.now():%Y-%m-%d}"
    assert "$0.08 of $1.00 used today (you)" in shown
    assert "**$0.08** today" in shown
    assert f"{day} · paid · 2 pictures · $0.08" in shown
    assert "ann" not in shown
    asked = await easel.say("!cost 30")
    assert "**$0.08** in 30 days" in (await discord.wait_for(lambda: reply_to(asked))).content
    wrong = await easel.say("!cost many")
    assert "Write `!cost`" in (await discord.wait_for(lambda: reply_to(wrong))).content


async def test_who_manages_a_server_sees_and_limits_what_it_spends(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(PaidBackend(), has_fallback=False)
    await easel.dream("!dream a fox")
    await easel.dream("!dream an owl", user="ann")
    chief = discord.user("chief", permissions=["MANAGE_GUILD"])
    shown = (await chief.slash(discord.channel, "cost server")).original.content
    assert "**$0.08** in 7 days" in shown
    assert shown.count("· paid · 1 picture · $0.04") == 2
    assert "mia · paid" in shown
    for command in ("cost server", "cost limits"):
        refused = await discord.user("mia").slash(discord.channel, command)
        answer = await discord.wait_for(lambda refused=refused: refused.original or (refused.followups or [None])[0])
        assert "Only people with Manage Server" in answer.content
    limits = (await chief.slash(discord.channel, "cost limits", budget=0.1, confirm_above=0.05)).original.content
    assert "All members together: $0.10 a day (UTC)" in limits
    assert "Asked before something is drawn: above $0.05" in limits
    asked = await easel.say("!dream a hare")
    answer = await discord.wait_for(lambda: reply_to(asked))
    assert "$0.08 of $0.10 are used in this server, and this would cost about $0.04" in answer.content
    free = (await chief.slash(discord.channel, "cost limits", budget=0)).original.content
    assert "as much as the owner of Easel allows" in free
    await easel.dream("!dream a hare")


async def test_a_button_names_its_price_before_the_click(discord: DiscordServer, start: StartEasel) -> None:
    paid = PaidBackend(hold=True)
    easel = await start(paid, has_fallback=False)
    asked = await easel.slash("a fox", batch=2)
    waiting = await discord.wait_for(
        lambda: asked.message if asked.message and "about $0.08" in asked.message.content else None
    )
    paid.release()
    done = await easel.finished(waiting)
    assert "💳 again about $0.08 · 🪄 Vary about $0.04" in done.content
    assert "⬆️ upscale about $0.04" in done.content


async def test_a_free_picture_names_no_price(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    assert "💳" not in (await easel.dream()).content


async def test_answers_of_the_text_engine_stand_beside_pictures_and_in_the_same_budget(
    discord: DiscordServer, start: StartEasel
) -> None:
    text = FakeTextEngine({"prompt": "a red fox in snow", "alternatives": [], "tags": []})
    easel = await start(PaidBackend(), has_fallback=False, text_engine=text, money={"person_usd": 0.62})
    mia = discord.user("mia")
    first = await answer_of(easel, await mia.slash(discord.channel, "enhance", prompt="a red fox"))
    assert "Again · $0.0003" in first.buttons
    shown = (await mia.slash(discord.channel, "cost mine", days=1)).original.content
    assert f"{easel.clock.now():%Y-%m-%d} · claude-haiku-5-5 · 1 answer · $0.60" in shown
    assert "$0.60 of $0.62 used today (you)" in shown
    asked = await easel.say("!dream a fox")
    assert "Daily budget exceeded" in (await discord.wait_for(lambda: reply_to(asked))).content
