"""The rest of what a bot asks: who it is, where the gateway is, guilds, members, DMs, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.discord_server import errors
from tests.discord_server.model import Account, Guild
from tests.discord_server.uploads import BODY

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer


class MiscRoutes:
    """Handlers for users, guilds and the gateway address."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server

    def table(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/gateway", self.gateway),
            ("GET", "/gateway/bot", self.gateway_bot),
            ("GET", "/users/@me", self.me),
            ("POST", "/users/@me/channels", self.open_dm),
            ("GET", "/users/@me/guilds", self.my_guilds),
            ("GET", "/users/{user_id}", self.user),
            ("GET", "/oauth2/applications/@me", self.application),
            ("GET", "/applications/@me", self.application),
            ("GET", "/guilds/{guild_id}", self.guild),
            ("GET", "/guilds/{guild_id}/channels", self.guild_channels),
            ("GET", "/guilds/{guild_id}/roles", self.guild_roles),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
        ]

    async def gateway(self, request: web.Request) -> web.Response:
        return web.json_response({"url": self._server.gateway_url})

    async def gateway_bot(self, request: web.Request) -> web.Response:
        budget = {"total": 1000, "remaining": 1000 - self._server.gateway.identifies, "reset_after": 86_400_000}
        start = budget | {"max_concurrency": 1}
        answer = {"url": self._server.gateway_url, "shards": self._server.shards, "session_start_limit": start}
        return web.json_response(answer)

    async def me(self, request: web.Request) -> web.Response:
        return web.json_response(self._server.bot.to_json() | {"verified": True, "mfa_enabled": False, "email": None})

    async def application(self, request: web.Request) -> web.Response:
        server = self._server
        return web.json_response(
            {
                "id": str(server.application_id), "name": server.bot.name, "icon": None, "description": "",
                "bot_public": True, "bot_require_code_grant": False, "verify_key": "", "flags": 0, "team": None,
                "owner": server.guild.owner.to_json(), "bot": server.bot.to_json(), "summary": "", "rpc_origins": [],
            }
        )  # fmt: skip

    async def user(self, request: web.Request) -> web.Response:
        return web.json_response(self._account(request.match_info["user_id"]).to_json())

    def _account(self, user_id: str) -> Account:
        account = self._server.accounts.get(int(user_id))
        if account is None:
            raise errors.unknown_user()
        return account

    async def open_dm(self, request: web.Request) -> web.Response:
        account = self._account(str(request[BODY].json["recipient_id"]))
        if account.bot:
            raise errors.dms_closed()
        return web.json_response(self._server.dm_channel(account).to_json())

    async def my_guilds(self, request: web.Request) -> web.Response:
        shown = [{"id": str(guild.id), "name": guild.name, "owner": False} for guild in self._server.guilds]
        return web.json_response(shown)

    def _guild(self, request: web.Request) -> Guild:
        guild = self._server.find_guild(int(request.match_info["guild_id"]))
        if guild is None:
            raise errors.unknown_guild()
        return guild

    async def guild(self, request: web.Request) -> web.Response:
        return web.json_response(self._guild(request).to_json([self._server.bot]))

    async def guild_channels(self, request: web.Request) -> web.Response:
        return web.json_response([channel.to_json() for channel in self._guild(request).channels])

    async def guild_roles(self, request: web.Request) -> web.Response:
        return web.json_response([role.to_json() for role in self._guild(request).roles.values()])

    async def member(self, request: web.Request) -> web.Response:
        guild, account = self._guild(request), self._account(request.match_info["user_id"])
        if account.id not in guild.members:
            raise errors.unknown_member()
        return web.json_response(guild.member_json(account))


async def serve_file(server: DiscordServer, request: web.Request) -> web.Response:
    """Serve a file of the CDN; an expired link is a 404 there too."""
    file = server.cdn.files.get(int(request.match_info["attachment_id"]))
    if file is None or request.query.get("hm") != f"{server.cdn.generation:x}":
        return web.Response(status=404, text="This content is no longer available.")
    return web.Response(body=file.data, content_type=file.content_type)
