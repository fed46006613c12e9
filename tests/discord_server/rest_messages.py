"""Messages, reactions and typing by bot token: `/channels/...`.

Source: the resources Channel and Message of the official documentation.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.discord_server import errors
from tests.discord_server.message_limits import check_message
from tests.discord_server.model import Channel, Message
from tests.discord_server.posting import Poster
from tests.discord_server.uploads import BODY, Body


class MessageRoutes:
    """Handlers; `Poster` does what interaction answers do as well."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._server = poster.server

    def table(self) -> list[tuple[str, str, Any]]:
        base = "/channels/{channel_id}"
        message = f"{base}/messages/{{message_id}}"
        return [
            ("GET", base, self.get_channel),
            ("GET", f"{base}/messages", self.list_messages),
            ("POST", f"{base}/messages", self.create),
            ("POST", f"{base}/typing", self.typing),
            ("GET", message, self.get),
            ("PATCH", message, self.edit),
            ("DELETE", message, self.delete),
            ("PUT", f"{message}/reactions/{{emoji_name}}/@me", self.react),
            ("DELETE", f"{message}/reactions/{{emoji_name}}/@me", self.unreact),
            ("DELETE", f"{message}/reactions/{{emoji_name}}/{{user_id}}", self.unreact),
            ("DELETE", f"{message}/reactions", self.clear_reactions),
        ]

    def _channel(self, request: web.Request, *needed: str) -> Channel:
        channel = self._server.channels.get(int(request.match_info["channel_id"]))
        if channel is None or channel.deleted:
            raise errors.unknown_channel()
        self._server.require(channel, "VIEW_CHANNEL", *needed)
        return channel

    def _message(self, request: web.Request, *needed: str) -> Message:
        channel = self._channel(request, *needed)
        message = channel.find(int(request.match_info["message_id"]))
        if message is None or message.visible_to is not None:  # an ephemeral one cannot be reached by bot token
            raise errors.unknown_message()
        return message

    async def get_channel(self, request: web.Request) -> web.Response:
        return web.json_response(self._channel(request).to_json())

    async def list_messages(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        if not self._server.has(channel, "READ_MESSAGE_HISTORY"):
            return web.json_response([])
        query = {key: int(value) for key, value in request.query.items()}
        limit = query.get("limit", 50)
        if not 1 <= limit <= 100:
            raise errors.invalid_form([("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")])
        seen = [message for message in channel.messages if message.visible_to is None]
        if "before" in query:
            seen = [message for message in seen if message.id < query["before"]]
        if "after" in query:
            seen = [message for message in seen if message.id > query["after"]][:limit]
        if "around" in query:
            place = bisect_left(seen, query["around"], key=lambda message: message.id)
            seen = seen[max(0, place - limit // 2) :][:limit]
        newest_first = reversed(seen[-limit:])
        return web.json_response([self._server.rest_json(message) for message in newest_first])

    async def get(self, request: web.Request) -> web.Response:
        message = self._message(request, "READ_MESSAGE_HISTORY")
        return web.json_response(self._server.rest_json(message))

    async def create(self, request: web.Request) -> web.Response:
        channel = self._channel(request, "SEND_MESSAGES")
        body: Body = request[BODY]
        self._poster.check(check_message(body.json))
        if channel.recipient is not None and not channel.recipient.dms_open:
            raise errors.dms_closed()
        if body.files:
            self._server.require(channel, "ATTACH_FILES")
        reference = self._reference(channel, body.json.get("message_reference"))
        message = self._poster.create(channel, body, reference=reference)
        return web.json_response(message.to_json())

    def _reference(self, channel: Channel, raw: dict[str, Any] | None) -> Message | None:
        if raw is None:
            return None
        if not self._server.has(channel, "READ_MESSAGE_HISTORY"):
            raise errors.ApiError(400, 160002, "Cannot reply without permission to read message history")
        found = channel.find(int(raw["message_id"]))
        if found is None and raw.get("fail_if_not_exists", True):
            raise errors.invalid_form([("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")])
        return found

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author is not self._server.bot:
            raise errors.not_the_author()
        body: Body = request[BODY]
        if body.files:
            self._server.require(message.channel, "ATTACH_FILES")
        self._poster.check(check_message(body.json, message.flags))
        self._poster.edit(message, body)
        return web.json_response(message.to_json())

    async def delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author is not self._server.bot:
            self._server.require(message.channel, "MANAGE_MESSAGES")
        self._server.delete_message(message)
        return web.Response(status=204)

    async def typing(self, request: web.Request) -> web.Response:
        self._channel(request, "SEND_MESSAGES").typing += 1
        return web.Response(status=204)

    async def react(self, request: web.Request) -> web.Response:
        message = self._message(request, "READ_MESSAGE_HISTORY", "ADD_REACTIONS")
        self._server.add_reaction(message, self._server.bot, unquote(request.match_info["emoji_name"]))
        return web.Response(status=204)

    async def unreact(self, request: web.Request) -> web.Response:
        message = self._message(request)
        user_id = int(request.match_info.get("user_id", self._server.bot.id))
        if user_id != self._server.bot.id:
            self._server.require(message.channel, "MANAGE_MESSAGES")
        account = self._server.accounts.get(user_id)
        if account is None:
            raise errors.unknown_user()
        self._server.remove_reaction(message, account, unquote(request.match_info["emoji_name"]))
        return web.Response(status=204)

    async def clear_reactions(self, request: web.Request) -> web.Response:
        message = self._message(request, "MANAGE_MESSAGES")
        message.reactions.clear()
        return web.Response(status=204)
