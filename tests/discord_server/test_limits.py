"""The server holds every request against the limits, and says so in Discord's words."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import nextcord
import pytest

from tests.discord_server import DiscordServer, limits, openapi_check
from tests.discord_server.conftest import Connect
from tests.discord_server.modal_limits import check_modal


def _button(custom_id: str = "a", **changes: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "ok", "custom_id": custom_id, **changes}


def _row(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(items)}


def _menu(count: int, **changes: Any) -> dict[str, Any]:
    options = [{"label": f"l{index}", "value": f"v{index}"} for index in range(count)]
    return {"type": 3, "custom_id": "m", "options": options, **changes}


WRONG_MESSAGES = [
    ({"content": "x" * 2001}, "content"),
    ({"embeds": [{"title": "t"}] * 11}, "embeds"),
    ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
    ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
    ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds"),
    ({"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, "embeds.0.fields.0.value"),
    ({"embeds": [{"title": "t", "fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields"),
    ({"embeds": [{"title": "t", "footer": {"text": "x" * 2049}}]}, "embeds.0.footer.text"),
    ({"embeds": [{}]}, "embeds.0"),
    ({"attachments": [{"id": 0, "description": "x" * 1025}]}, "attachments.0.description"),
    ({"components": [_row(_button())] * 6}, "components"),
    ({"components": [_row(*[_button(str(index)) for index in range(6)])]}, "components.0.components"),
    ({"components": [_row(_button("x" * 101))]}, "components.0.components.0.custom_id"),
    ({"components": [_row(_button("a"), _button("a"))]}, "components.0.components.1.custom_id"),
    ({"components": [_row(_button(label="x" * 81))]}, "components.0.components.0.label"),
    ({"components": [_row(_button(label=None))]}, "components.0.components.0"),
    ({"components": [_row(_menu(26))]}, "components.0.components.0.options"),
    ({"components": [_row(_menu(0))]}, "components.0.components.0.options"),
    ({"components": [_row(_menu(2, max_values=3))]}, "components.0.components.0.max_values"),
    ({"components": [_row(_menu(2), _button())]}, "components.0.components"),
]


@pytest.mark.parametrize(("body", "where"), WRONG_MESSAGES)
def test_wrong_message_is_named_by_place(body: dict[str, Any], where: str) -> None:
    assert where in [place for place, _, _ in limits.check_message(body)]


def test_message_at_every_limit_is_fine() -> None:
    rows = [_row(*[_button(f"{row}{column}") for column in range(5)]) for row in range(5)]
    embeds = [{"title": "t" * 256, "description": "d" * 4096}, {"description": "e" * 1648}]
    assert limits.check_message({"content": "x" * 2000, "embeds": embeds, "components": rows}) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"name": "Upper", "description": "d"}, "APPLICATION_COMMAND_INVALID_NAME"),
        ({"name": "a", "description": ""}, "BASE_TYPE_BAD_LENGTH"),
        (
            {
                "name": "a",
                "description": "d",
                "options": [
                    {"type": 3, "name": "one", "description": "d"},
                    {"type": 3, "name": "two", "description": "d", "required": True},
                ],
            },
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            {
                "name": "a",
                "description": "d",
                "options": [
                    {
                        "type": 3,
                        "name": f"o{index}",
                        "description": "d" * 100,
                        "choices": [{"name": "c" * 100, "value": "v" * 100}] * 2,
                    }
                    for index in range(20)
                ],
            },
            "APPLICATION_COMMAND_TOO_LARGE",
        ),
    ],
)
def test_wrong_command_is_named(command: dict[str, Any], code: str) -> None:
    assert code in [found for _, found, _ in limits.check_command(command)]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"title": "x" * 46}, "data.title"),
        ({"custom_id": ""}, "data.custom_id"),
        ({"components": []}, "data.components"),
        ({"components": [_row({"type": 4, "custom_id": "a", "label": "l" * 46, "style": 1})]}, "label"),
        ({"components": [_row({"type": 4, "custom_id": "a", "label": "l", "style": 1, "value": "x" * 4001})]}, "value"),
    ],
)
def test_wrong_modal_is_named(changes: dict[str, Any], where: str) -> None:
    field = {"type": 4, "custom_id": "a", "label": "l", "style": 1}
    modal = {"title": "t", "custom_id": "c", "components": [_row(field)], **changes}
    assert any(place.endswith(where) for place, _, _ in check_modal(modal))


async def test_too_long_message_is_refused_in_discords_shape(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    await discord.user("mia").say(discord.channel, "!big 2001")
    error = await discord.wait_for(lambda: next((item for item in bot.seen if isinstance(item, Exception)), None))
    assert (error.original.status, error.original.code) == (400, 50035)
    assert "2000 or fewer" in error.original.text
    assert [violation.rule for violation in discord.violations] == ["50035"]


async def test_oversized_file_and_request_are_refused(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    channel = bot.get_channel(discord.channel.id)
    for sizes in ([10 * 1024 * 1024 + 1], [9_000_000] * 3):
        files = [nextcord.File(io.BytesIO(bytes(size)), f"{index}.png") for index, size in enumerate(sizes)]
        with pytest.raises(nextcord.HTTPException) as refused:
            await channel.send(files=files)
        assert (refused.value.status, refused.value.code) == (413, 40005)
    assert discord.channel.messages == []


async def test_empty_message_reused_file_and_missing_attachment_are_noticed(
    discord: DiscordServer, connect: Connect
) -> None:
    bot = await connect()
    channel = bot.get_channel(discord.channel.id)
    with pytest.raises(nextcord.HTTPException) as empty:
        await channel.send("")
    assert empty.value.code == 50006
    file = nextcord.File(io.BytesIO(b"123"), "a.png")
    await channel.send(file=file)
    await channel.send(file=file)
    await channel.send(embed=nextcord.Embed().set_image(url="attachment://nowhere.png"))
    notes = [violation.detail for violation in discord.violations]
    assert len(notes) == 3
    assert "empty file a.png" in notes[1]
    assert "nowhere.png" in notes[2]


async def test_attachments_of_an_edit_are_what_stays(discord: DiscordServer, connect: Connect) -> None:
    bot = await connect()
    channel = bot.get_channel(discord.channel.id)
    files = [nextcord.File(io.BytesIO(name.encode()), name) for name in ("a.png", "b.png")]
    sent = await channel.send(files=files)
    message = discord.channel.messages[0]
    await sent.edit(content="same")
    assert [file.filename for file in message.attachments] == ["a.png", "b.png"]
    await sent.edit(attachments=[sent.attachments[1]], file=nextcord.File(io.BytesIO(b"c"), "c.png"))
    assert [file.filename for file in message.attachments] == ["b.png", "c.png"]
    await sent.edit(content="none", attachments=[])
    assert message.attachments == []
    assert len(message.edits) == 3


async def test_unknown_route_and_broken_json_are_violations(discord: DiscordServer) -> None:
    headers = {"Authorization": f"Bot {discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{discord.api_url}/nothing/here") as answer:
            assert answer.status == 404
        url = f"{discord.api_url}/channels/{discord.channel.id}/messages"
        async with session.post(url, data=b"{", headers={"Content-Type": "application/json"}) as answer:
            assert (await answer.json())["code"] == 50109
    assert [violation.rule for violation in discord.violations] == ["unknown route", "50109"]


@pytest.mark.skipif(not openapi_check.is_present(), reason="the official document is not beside this checkout")
class TestOfficialDocument:
    def test_right_and_wrong_bodies(self) -> None:
        route = ("POST", "/channels/{channel_id}/messages")
        assert openapi_check.check(*route, {"content": "a", "components": [_row(_button(), _menu(2))]}) == []
        assert openapi_check.check(*route, {"content": 5}) != []
        assert openapi_check.check(*route, {"embeds": [{"title": "x" * 257}]}) != []

    async def test_every_route_of_ours_is_official(self, discord: DiscordServer) -> None:
        runner = discord._runner
        assert runner is not None
        ours = {
            (route.method, route.resource.canonical.removeprefix("/api/v10"))
            for route in runner.app.router.routes()
            if route.resource.canonical.startswith("/api/v10") and route.method != "HEAD"
        }
        assert ours - openapi_check.known_routes() == set()
