"""`/sdconnect` and its kin: tested before use, keys in no message and no log, owned by a person or a server."""

from __future__ import annotations

import logging

import pytest

from backends import kinds
from backends.base import BackendConfig
from backends.diagnose import Diagnosis, DiagnosisStep
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, entries, is_finished, more, own
from tests.e2e.pictures import rich_backend
from tests.fakes import FakeBackend
from tests.kinds import with_backend
from tests.waiting import until

URL = "https://abc123-7860.proxy.runpod.net"
KEY = "mia:s3cr3t-p4ss"
ADDRESSES = [URL, f"{URL} {KEY}", f"<{URL}>"]
REFUSED = (
    DiagnosisStep(layer="connect", is_ok=True, message=""),
    DiagnosisStep(layer="auth", is_ok=False, message="refused"),
)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """Return what every new A1111 connection turns out to be."""
    backend = FakeBackend("a1111")

    def make(config: BackendConfig) -> FakeBackend:
        backend.name = config.name
        return backend

    kinds.known_kinds()  # loaded first: what is put in an empty table is taken out of it for good
    monkeypatch.setitem(kinds._kinds, "a1111", with_backend("a1111", make))
    return backend


class Examine:
    """Stands in for the test of a connection."""

    def __init__(self) -> None:
        self.diagnosis = Diagnosis(steps=(), is_ok=True, message="", product="Forge", seconds=0.4)
        self.configs: list[BackendConfig] = []

    async def __call__(self, config: BackendConfig) -> Diagnosis:
        self.configs.append(config)
        return self.diagnosis


@pytest.fixture
def examine() -> Examine:
    return Examine()


def everything_said(discord: DiscordServer) -> str:
    channels = discord.channels.values()
    messages = [
        item for channel in channels for item in (*channel.messages, *channel.deleted_messages) if item.author.bot
    ]
    return "\n".join(text for item in messages for text in (item.content, *item.history))


async def connect(easel: Easel, user: str = "mia", command: str = "sdconnect", **options: object):
    result = await easel.server.user(user).slash(easel.server.channel, command, type="forge", url=URL, **options)
    await easel.server.wait_for(lambda: result.message.content if result.message else result.followups)
    return result


@pytest.mark.parametrize("command", ["sdconnect", "sdlink"])
async def test_connect_by_slash_is_private_and_ready(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine, command: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    easel = await start(examine=examine)
    result = await connect(easel, command=command, key=KEY)
    assert result.ephemeral
    assert "✅ **Connection OK**" in result.message.content
    assert "API Type: forge" in result.message.content
    assert "Ready to generate!" in result.message.content
    assert examine.configs[0].key == KEY
    assert KEY not in everything_said(discord)
    ours = [record for record in caplog.records if not record.name.startswith("nextcord")]  # it tells all at DEBUG
    assert KEY not in "\n".join(record.getMessage() for record in ours)
    answer = await easel.dream()
    assert "mia's Forge" in answer.content
    assert len(engine.requests) == 1


async def test_the_types_are_suggested(discord: DiscordServer, start: StartEasel, engine: FakeBackend) -> None:
    await start()
    choices = await discord.user("mia").autocomplete(discord.channel, "sdconnect", "type", "fo", url=URL)
    assert [choice["value"] for choice in choices] == ["forge", "reforge"]


async def test_nobody_else_draws_on_it(start: StartEasel, engine: FakeBackend, examine: Examine) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    answer = await easel.dream(user="ann")
    assert "sketch: drawn by rules" in answer.content
    assert engine.requests == []


async def test_what_others_press_under_its_pictures_is_drawn_on_theirs(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    shared = rich_backend("gpu1")
    easel = await start(shared, examine=examine)
    await connect(easel)
    own_picture, shared_picture = await easel.dream("!dream a fox"), await easel.dream("!dream a wolf --backend gpu1")
    ann = discord.user("ann")
    menu = (await more(ann, own_picture, "Sampler")).original
    chosen = await ann.select(menu, "Choose a sampler", ["Sampler 3"])
    assert "on gpu1" in (await easel.finished(chosen.original)).content
    assert (shared.requests[-1].prompt, shared.requests[-1].sampler) == ("a fox", "Sampler 3")
    await easel.finished((await more(ann, own_picture, "Draw on gpu1")).original)
    [other] = [entry for entry in entries(shared_picture) if entry.startswith("Draw on")]
    refused = await more(ann, shared_picture, other)
    [reported] = await discord.wait_for(
        lambda: refused.followups or ([refused.original] if refused.ephemeral else None)
    )
    assert "There is no other engine here" in reported.content
    assert len(engine.requests) == 1


async def test_a_failed_test_saves_nothing_and_says_what_to_do(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    examine.diagnosis = Diagnosis(steps=REFUSED, is_ok=False, message="it wants a password.", hint="Add `key`.")
    result = await connect(easel)
    [reported] = result.followups
    assert reported.ephemeral
    assert "Connection failed: it wants a password." in reported.content
    assert "Add `key`." in reported.content
    mia = discord.user("mia")
    tested = await mia.slash(discord.channel, "sdtest")
    await discord.wait_for(lambda: tested.followups)
    assert "You have connected no engine of your own" in tested.followups[0].content


async def test_test_and_disconnect(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel, key=KEY)
    mia = discord.user("mia")
    tested = await mia.slash(discord.channel, "sdtest")
    await discord.wait_for(lambda: "Connection OK" in tested.message.content)
    examine.diagnosis = Diagnosis(steps=REFUSED, is_ok=False, message="refused.", hint="Is it running?")
    tested = await mia.slash(discord.channel, "sdtest")
    await discord.wait_for(lambda: "Connection failed" in tested.message.content)
    assert "Is it running?" in tested.message.content
    assert "✔ connect · ✖ auth" in tested.message.content
    gone = await mia.slash(discord.channel, "sddisconnect")
    await discord.wait_for(lambda: "✅ Disconnected" in gone.message.content)
    assert "sketch: drawn by rules" in (await easel.dream()).content
    assert KEY not in everything_said(discord)


async def test_a_prefix_command_with_a_key_is_deleted(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    discord.grant("MANAGE_MESSAGES", channel=discord.channel)
    reply = await easel.say(f"!sdconnect forge {URL} {KEY}")
    await discord.wait_for(lambda: own(discord.channel))
    assert reply.deleted
    assert "✅ **Connection OK**" in own(discord.channel)[0].content
    assert KEY not in everything_said(discord)
    assert URL not in everything_said(discord)


async def test_a_password_within_the_address_is_deleted_too(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    discord.grant("MANAGE_MESSAGES")
    easel = await start(examine=examine)
    reply = await easel.say("!sdconnect forge https://mia:s3cr3t-p4ss@gpu.example")
    await discord.wait_for(lambda: own(discord.channel))
    assert reply.deleted
    assert "s3cr3t" not in everything_said(discord)
    assert examine.configs == []


@pytest.mark.parametrize("words", ADDRESSES)
async def test_what_may_not_be_deleted_is_not_connected(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine, words: str
) -> None:
    easel = await start(examine=examine)
    reply = await easel.say(f"!sdconnect forge {words}")
    await discord.wait_for(lambda: own(discord.channel))
    assert not reply.deleted
    refusal = own(discord.channel)[0].content
    assert "I may not delete messages here" in refusal
    assert "Delete yours now" in refusal
    assert "*" not in refusal, "a reason is shown as it is, so it has no markup"
    assert "`/sdconnect`" in refusal
    assert examine.configs == []
    assert "runpod" not in everything_said(discord)
    direct = await discord.user("mia").say(discord.user("mia").dm_channel, f"!sdconnect forge {words}")
    await discord.wait_for(lambda: own(direct.channel))
    assert "✅ **Connection OK**" in own(direct.channel)[0].content


@pytest.mark.parametrize("words", [*ADDRESSES, "nas.local:7860", f'"{URL}', f"{URL} '"])
async def test_an_address_is_taken_out_of_the_channel_without_a_key_too(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine, words: str
) -> None:
    easel = await start(examine=examine)
    discord.grant("MANAGE_MESSAGES", channel=discord.channel)
    reply = await easel.say(f"!sdconnect forge {words}")
    await discord.wait_for(lambda: own(discord.channel))
    assert reply.deleted
    assert "abc123-7860" not in everything_said(discord)
    assert "nas.local" not in everything_said(discord)


async def test_what_shows_no_address_stays(discord: DiscordServer, start: StartEasel, examine: Examine) -> None:
    easel = await start(examine=examine)
    discord.grant("MANAGE_MESSAGES", channel=discord.channel)
    for words in ("!sdconnect", "!sdconnect forge"):
        reply = await easel.say(words)
        assert "`sdconnect TYPE URL [KEY]`" in (await easel.answer_to(reply)).content
        assert not reply.deleted


async def test_the_servers_address_is_for_those_who_manage_it(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    boss = discord.user("boss", permissions=("MANAGE_GUILD",))
    await connect(easel, "boss", for_server=True)
    host = URL.removeprefix("https://")
    failed = Diagnosis(steps=REFUSED, is_ok=False, message=f"{host} hangs.", hint=host, owner_hint="curl :7860")
    for diagnosis in (examine.diagnosis, failed):
        examine.diagnosis = diagnosis
        texts = {}
        for user in (discord.user("ann"), boss):
            tested = await user.slash(discord.channel, "sdtest", for_server=True)
            texts[user.name] = await discord.wait_for(lambda tested=tested: tested.message and tested.message.content)
        assert host not in texts["ann"]
        assert "7860" not in texts["ann"]
        assert host in texts["boss"]
        assert ("Connection OK" in texts["ann"]) is diagnosis.is_ok


async def test_a_key_stays_hidden_also_when_the_connection_fails(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    examine.diagnosis = Diagnosis(steps=REFUSED, is_ok=False, message="wrong password.")
    discord.grant("MANAGE_MESSAGES", channel=discord.channel)
    reply = await easel.say(f"!sdlink forge {URL} {KEY}")
    await discord.wait_for(lambda: own(discord.channel))
    assert reply.deleted
    assert "wrong password" in own(discord.channel)[0].content
    assert KEY not in everything_said(discord)


async def test_the_prefix_commands_without_arguments_say_how(discord: DiscordServer, start: StartEasel) -> None:
    discord.grant("MANAGE_MESSAGES")
    easel = await start()
    assert "`sdconnect TYPE URL [KEY]`" in (await easel.answer_to(await easel.say("!sdconnect"))).content
    assert "You have connected no engine of your own" in (await easel.answer_to(await easel.say("!sdtest"))).content
    assert "no connection to forget" in (await easel.answer_to(await easel.say("!sddisconnect"))).content
    await easel.say(f"!sdconnect toaster {URL}")
    await discord.wait_for(lambda: "not known" in own(discord.channel)[-1].content)


async def test_a_horde_is_connected_without_an_address(
    discord: DiscordServer, start: StartEasel, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(kinds._kinds, "ai_horde", with_backend("ai_horde", lambda config: FakeBackend(config.name)))
    easel = await start(examine=examine)
    result = await discord.user("mia").slash(discord.channel, "sdconnect", type="horde", key=KEY)
    await discord.wait_for(lambda: result.message.content)
    assert "mia's AI Horde" in (await easel.dream()).content
    discord.grant("MANAGE_MESSAGES", channel=discord.channel)
    await easel.say(f"!sdconnect horde {KEY}", user="ann")
    await discord.wait_for(lambda: everything_said(discord).count("✅ **Connection OK**") == 2)
    assert "ann's AI Horde" in (await easel.dream(user="ann")).content
    assert [(config.kind, config.key) for config in examine.configs] == [("ai_horde", KEY)] * 2
    assert KEY not in everything_said(discord)


async def test_only_admins_connect_a_server_and_then_all_use_it(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    refused = await connect(easel, for_server=True)
    assert refused.ephemeral
    assert "Only people who may manage this server" in refused.message.content
    discord.user("boss", permissions=("MANAGE_GUILD",))
    accepted = await connect(easel, "boss", for_server=True)
    assert "everybody in this server" in accepted.message.content
    assert "the server's Forge" in (await easel.dream(user="ann")).content


async def test_connections_come_back_after_a_restart(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    easel = await start(examine=examine)
    await connect(easel)
    await easel.kill()
    await easel.start()
    assert "mia's Forge" in (await easel.dream()).content


async def test_disconnecting_with_cancel_ends_what_runs_there(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    held = FakeBackend("a1111", hold=True)
    engine.generate = held.generate
    easel = await start(examine=examine)
    await connect(easel)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await until(lambda: held.running)
    gone = await discord.user("mia").slash(discord.channel, "sddisconnect", running="cancel")
    await discord.wait_for(lambda: "cancelled" in gone.message.content)
    await discord.wait_for(lambda: is_finished(answer))
    assert "~~a red fox~~" in answer.content
