"""`/cost`: your own books, those of a server for its managers, and what a server may spend."""

from __future__ import annotations

from generation.capabilities import Capabilities
from generation.errors import OutOfMemory
from generation.request import Mode
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import reply_to
from tests.e2e.test_describe_rules import FILE
from tests.e2e.test_enhance import answer_of
from tests.fakes import FakeBackend
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


async def test_another_engine_is_offered_with_its_price(discord: DiscordServer, start: StartEasel) -> None:
    broken = FakeBackend("gpu1")
    broken.fail.append(OutOfMemory())
    easel = await start(broken, PaidBackend("shop"), has_fallback=False)
    asked = await easel.say("!dream a fox --backend gpu1")
    await discord.wait_for(
        lambda: found if (found := reply_to(asked)) and "Draw on shop · $0.04" in found.buttons else None
    )
    free = await easel.dream("!dream a hare --backend gpu1")
    more = next(item for item in free.controls if item.get("options"))
    assert "Draw on shop · $0.04" in [option["label"] for option in more["options"]]


async def test_a_button_that_another_engine_serves_names_that_engines_price(
    discord: DiscordServer, start: StartEasel
) -> None:
    plain = FakeBackend("gpu1", capabilities=Capabilities(modes=frozenset({Mode.TXT2IMG})))
    easel = await start(plain, PaidBackend("shop"), has_fallback=False)
    picture = await easel.dream("!dream a fox --backend gpu1")
    assert "💳 🪄 Vary about $0.04 · 🔭 zoom out about $0.04 · ⬆️ upscale about $0.04" in picture.content


async def test_a_comparison_names_what_its_buttons_cost(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend("gpu1"), PaidBackend("shop"), has_fallback=False)
    asked = await discord.user("mia").slash(discord.channel, "compare", prompt="a fox", engines="gpu1,shop")
    shown = await discord.wait_for(lambda: asked.original if asked.original and asked.original.attachments else None)
    (line,) = [line for line in shown.content.splitlines() if "💳" in line]
    assert line.startswith("-# **2** 💳 again about $0.04 · 🪄 Vary about $0.04")


async def test_what_is_drawn_from_words_names_its_price(discord: DiscordServer, start: StartEasel) -> None:
    text = FakeTextEngine({"prompt": "a red fox in snow", "alternatives": [], "tags": []})
    easel = await start(PaidBackend(), has_fallback=False, text_engine=text)
    mia = discord.user("mia")
    enhanced = await answer_of(easel, await mia.slash(discord.channel, "enhance", prompt="a red fox --batch 2"))
    assert "Draw it · $0.08" in enhanced.buttons
    text.says = {"prompt": "a fox", "alt": "A fox.", "tags": []}
    described = await mia.slash(discord.channel, "describe", image=FILE)
    shown = await answer_of(easel, described)
    assert "Draw this · $0.04" in shown.buttons
