"""A server of another kind than was typed is connected by the button under the refusal."""

from __future__ import annotations

from backends.base import BackendConfig
from backends.diagnose import Diagnosis, DiagnosisStep
from tests.discord_server import DiscordServer, Interaction
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own
from tests.e2e.test_connections import Examine, engine
from tests.fakes import FakeBackend

__all__ = ["engine"]  # a fixture
URL, KEY = "https://gpu.example.com", "me:s3cret"
OTHER = Diagnosis(
    steps=(DiagnosisStep(layer="product", is_ok=False, message="Forge answers there, not ComfyUI."),), is_ok=False,
    message="Forge answers there, not ComfyUI.", hint="Connect it as a1111 instead.", other_kind="a1111",
)  # fmt: skip


class ForgeThere(Examine):
    """A test of connections that finds Forge, whatever was typed."""

    async def __call__(self, config: BackendConfig) -> Diagnosis:
        self.configs.append(config)
        return self.diagnosis if config.kind == "a1111" else OTHER


async def reads(discord: DiscordServer, result: Interaction) -> str:
    def shown() -> str:
        messages = [*result.followups, result.original]
        return next((each.text for each in messages if each and not each.loading and not each.deleted), "")

    return str(await discord.wait_for(shown))


async def test_the_button_connects_it_as_what_it_is(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend
) -> None:
    examine = ForgeThere()
    easel = await start(examine=examine)
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "sdconnect", type="comfyui", url=URL, key=KEY)
    assert "Forge answers there, not ComfyUI" in await reads(discord, result)
    [label] = [each for each in result.original.buttons if each.startswith("Connect it as")]
    assert KEY not in str(result.original.components)
    pressed = await mia.click(result.original, label)
    assert pressed.ephemeral
    assert "Connection OK" in await reads(discord, pressed)
    assert [(config.kind, config.key) for config in examine.configs] == [("comfyui", KEY), ("a1111", KEY)]
    assert [entry.config.kind for entry in easel.now.registry if entry.owner.kind == "user"] == ["a1111"]
    again = await mia.click(result.original, label)
    assert "Type it again" in await reads(discord, again)


async def test_nobody_else_connects_what_somebody_typed_in_the_open(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend
) -> None:
    discord.grant("MANAGE_MESSAGES")
    easel = await start(examine=ForgeThere())
    await easel.say(f"!sdconnect comfyui {URL} {KEY}")
    answer = await discord.wait_for(lambda: next((each for each in own(discord.channel) if each.buttons), None))
    assert URL not in answer.text
    assert KEY not in answer.text
    pressed = await discord.user("ann").click(answer, answer.buttons[0])
    assert "Only who typed the address" in await reads(discord, pressed)
    connected = await discord.user("mia").click(answer, answer.buttons[0])
    assert "Connection OK" in await reads(discord, connected)


async def test_after_a_restart_it_is_typed_again(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend
) -> None:
    easel = await start(examine=ForgeThere())
    mia = discord.user("mia")
    result = await mia.slash(discord.channel, "sdconnect", type="comfyui", url=URL)
    await discord.wait_for(lambda: result.original.buttons)
    await easel.kill()
    await easel.start()
    pressed = await mia.click(result.original, result.original.buttons[0])
    assert "Type it again: `/sdconnect`" in await reads(discord, pressed)
