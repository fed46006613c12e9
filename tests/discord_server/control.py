"""A tiny HTTP door to the driver, so that another process (a benchmark, a person) can play a user."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.discord_server.interaction import Interaction
from tests.discord_server.model import Channel, Message
from tests.discord_server.slash import NotPossible

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer


def control_routes(server: DiscordServer) -> list[web.RouteDef]:
    """Return the routes under /_control; each takes JSON with "user", optional "channel" and the arguments."""

    async def act(request: web.Request) -> web.Response:
        body = await request.json()
        user = server.user(body.get("user", "mia"), admin=bool(body.get("admin")))
        channel = _channel(server, body.get("channel"))
        try:
            result = await _ACTIONS[request.match_info["action"]](user, channel, body)
        except (NotPossible, KeyError, TimeoutError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(result)

    async def messages(request: web.Request) -> web.Response:
        channel = _channel(server, request.query.get("channel"))
        return web.json_response([_shown(message) for message in channel.messages])

    async def state(request: web.Request) -> web.Response:
        return web.json_response(_state(server))

    return [
        web.post("/_control/{action}", act),
        web.get("/_control/messages", messages),
        web.get("/_control/state", state),
    ]


def _channel(server: DiscordServer, name: str | None) -> Channel:
    if name is None:
        return server.channel
    found = next((item for item in server.channels.values() if item.name == name or str(item.id) == name), None)
    return found or server.add_channel(name)


def _find(channel: Channel, message_id: str) -> Message:
    message = channel.find(int(message_id))
    if message is None:
        raise NotPossible(f"no message {message_id}")
    return message


def _options(raw: dict[str, Any]) -> dict[str, Any]:
    """Turn {"filename", "base64"} into an upload."""
    return {
        key: (value["filename"], base64.b64decode(value["base64"])) if isinstance(value, dict) else value
        for key, value in raw.items()
    }


def _state(server: DiscordServer) -> dict[str, Any]:
    return {
        "ready": server.gateway.live is not None,
        "commands": sorted(server.commands.names()),
        "requests": len(server.requests),
        "rate_limited": server.rate_limited,
        "violations": [vars(violation) for violation in server.violations],
    }


async def _wait(user: Any, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    """Wait for commands to be registered, or for a message to have its files."""
    server, timeout_s = user.server, float(body.get("timeout_s", 20))
    if "commands" in body:
        await server.wait_commands(set(body["commands"]), timeout_s)
        return _state(server)
    message = _find(channel, body["message"])
    await server.wait_for(lambda: message.files, timeout_s)
    return _shown(message)


async def _say(user: Any, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    files = _options(body.get("attachments") or {})
    return _shown(await user.say(channel, body.get("content", ""), attachments=list(files.values())))


async def _slash(user: Any, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    return _outcome(await user.slash(channel, body["name"], **_options(body.get("options") or {})))


async def _click(user: Any, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    return _outcome(await user.click(_find(channel, body["message"]), body["control"]))


async def _select(user: Any, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    return _outcome(await user.select(_find(channel, body["message"]), body["control"], body["values"]))


_ACTIONS = {"wait": _wait, "say": _say, "slash": _slash, "click": _click, "select": _select}


def _outcome(interaction: Interaction) -> dict[str, Any]:
    return {
        "callback_type": interaction.callback_type,
        "acknowledged_after_s": interaction.acknowledged_after_s,
        "message": _shown(interaction.message) if interaction.message else None,
        "modal": interaction.modal.title if interaction.modal else None,
    }


def _shown(message: Message) -> dict[str, Any]:
    files = [{"filename": file.filename, "size": file.size, "url": file.url} for file in message.files]
    return {
        "id": str(message.id), "author": message.author.name, "content": message.content, "flags": message.flags,
        "embeds": message.embeds, "files": files,
        "buttons": message.buttons, "components": message.components, "created_t": message.created_t,
        "edits": message.edits,
    }  # fmt: skip
