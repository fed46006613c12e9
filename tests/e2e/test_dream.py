"""From `!dream` to a picture, as a person sees it."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import labels, own


async def test_dream_is_one_message_edited_from_queued_to_the_picture(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start()
    answer = await easel.dream("!dream a red fox --size 256x256 --seed 42")
    mia = discord.user("mia")
    assert own(discord.channel) == [answer]
    head, small, *_ = answer.content.split("\n")
    assert head == f"**a red fox** — {mia.mention}"
    assert small.startswith("-# seed 42 · 256×256 · 20 steps · CFG 7 · ")
    assert answer.attachments[0].description.startswith("AI image: a red fox; ")
    assert answer.attachments[0].data.startswith(b"\x89PNG")
    assert answer.pings == []
    print(answer.content, labels(answer), answer.history)
