"""Budgets as members meet them: what is short, when it resets, what is free, and a price that is agreed to first."""

from __future__ import annotations

from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, reply_to
from tests.fakes import FakeBackend
from tests.paid import PaidBackend
from tests.waiting import until


async def refused(discord: DiscordServer, easel: Easel, words: str = "!dream a fox") -> Message:
    asked = await easel.say(words)
    return await discord.wait_for(lambda: reply_to(asked) if reply_to(asked) and reply_to(asked).content else None)


async def charges(easel: Easel) -> list[tuple[str, float]]:
    rows = await easel.now.database.fetch("SELECT state, usd FROM charges ORDER BY settled_at")
    return [(row["state"], round(row["usd"], 4)) for row in rows]


async def test_three_pictures_with_a_budget_for_none_are_refused(discord: DiscordServer, start: StartEasel) -> None:
    paid = PaidBackend()
    easel = await start(paid, has_fallback=False, money={"everybody_usd": 0.0001})
    for __ in range(3):
        answer = await refused(discord, easel, "!dream a fox --backend paid")
        assert answer.content.startswith("💳 Daily budget exceeded: $0.00 of $0.0001 are used by everybody together")
        assert "(00:00 UTC)" in answer.content
    assert paid.requests == []
    assert await charges(easel) == []


async def test_a_free_engine_is_a_button_and_draws_only_when_it_is_pressed(
    discord: DiscordServer, start: StartEasel
) -> None:
    paid, free = PaidBackend(models={"large": 0.04, "small": 0.01}), FakeBackend("free")
    easel = await start(paid, free, has_fallback=False, money={"person_usd": 0.05})
    await easel.dream("!dream a fox --backend paid")
    assert await charges(easel) == [("paid", 0.04)]
    answer = await refused(discord, easel, "!dream an owl --backend paid --seed 7")
    assert "you have used $0.04 of $0.05, and this would cost about $0.04" in answer.content
    assert "Within the budget: free (free), small ($0.01)" in answer.content
    assert answer.buttons == ["Draw on free, free", "Draw with small for $0.01"]
    assert len(paid.requests) == 1
    assert free.requests == []
    ann = await discord.user("ann").click(answer, "Draw on free, free")
    await discord.wait_for(lambda: ann.message and "Only who asked" in ann.message.content)
    await easel.stop()
    await easel.start()
    await discord.user("mia").click(answer, "Draw on free, free")
    await easel.finished(answer)
    job = await easel.job(job_id(answer))
    assert (job.lane, job.request.prompt, job.request.seed) == ("free", "an owl", 7)
    assert await charges(easel) == [("paid", 0.04)]


async def test_a_cheaper_model_is_drawn_for_its_price_once_the_person_agrees(
    discord: DiscordServer, start: StartEasel
) -> None:
    paid = PaidBackend(models={"large": 0.04, "small": 0.01}, costs=0.01)
    easel = await start(paid, has_fallback=False, money={"person_usd": 0.03})
    answer = await refused(discord, easel, "!dream an owl --backend paid")
    await discord.user("mia").click(answer, "Draw with small for $0.01")
    await until(lambda: len(paid.requests) == 1)
    assert paid.requests[0].model == "small"
    await easel.finished(answer)
    assert await charges(easel) == [("paid", 0.01)]


async def test_a_high_price_is_asked_for_and_drawn_when_it_is_agreed_to(
    discord: DiscordServer, start: StartEasel
) -> None:
    paid = PaidBackend()
    easel = await start(paid, has_fallback=False, money={"confirm_above_usd": 0.05})
    asked = await easel.slash("a fox", batch=3)
    question = await discord.wait_for(lambda: next((m for m in asked.followups if m.controls), None))
    assert question.ephemeral
    assert "about $0.12, and more than $0.05 is drawn only when you agree" in question.content
    assert question.buttons == ["Draw for $0.12", "Cancel"]
    assert paid.requests == []
    await discord.user("mia").click(question, "Draw for $0.12")
    await until(lambda: len(paid.requests) == 1)
    await until(lambda: not paid.running)
    other = await refused(discord, easel, "!dream an owl --batch 2")
    await discord.user("mia").click(other, "Cancel")
    await discord.wait_for(lambda: "Nothing was drawn" in other.content)
    assert len(paid.requests) == 1


async def test_an_agreement_lasts_for_a_quarter_of_an_hour(discord: DiscordServer, start: StartEasel) -> None:
    paid = PaidBackend()
    easel = await start(paid, has_fallback=False, money={"confirm_above_usd": 0.05})
    question = await refused(discord, easel, "!dream a fox --batch 2")
    await easel.now.database.write("UPDATE questions SET created_at = created_at - 1000")
    paid.usd = 0.05
    press = await discord.user("mia").click(question, "Draw for $0.08")
    again = await discord.wait_for(
        lambda: next((m for m in (*press.followups, question) if m.buttons == ["Draw for $0.10", "Cancel"]), None)
    )
    assert paid.requests == []
    await discord.user("mia").click(again, "Draw for $0.10")
    await until(lambda: len(paid.requests) == 1)


async def test_what_comes_from_the_cache_costs_nothing(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(PaidBackend(), has_fallback=False, money={"person_usd": 0.05})
    await easel.dream("!dream a fox --seed 7")
    await easel.dream("!dream a fox --seed 7")
    assert await charges(easel) == [("paid", 0.04)]
