"""Application commands, global and per guild: what a bot registers at start.

Source: "Application Commands" of the official documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.discord_server import errors, limits
from tests.discord_server.uploads import BODY

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

MAX_PER_KIND = {1: 100, 2: 15, 3: 15}
MAX_CREATES_A_DAY = 200
Key = tuple[int | None, int]


class CommandRoutes:
    """The command list; `commands[guild_id or None][command_id]` holds what users are offered."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        self.commands: dict[int | None, dict[int, dict[str, Any]]] = {None: {}}
        self.creates = 0

    def table(self) -> list[tuple[str, str, Any]]:
        routes: list[tuple[str, str, Any]] = []
        for base in (
            "/applications/{application_id}/commands",
            "/applications/{application_id}/guilds/{guild_id}/commands",
        ):
            routes += [
                ("GET", base, self.list_all),
                ("POST", base, self.create),
                ("PUT", base, self.replace_all),
                ("GET", f"{base}/{{command_id}}", self.get),
                ("PATCH", f"{base}/{{command_id}}", self.edit),
                ("DELETE", f"{base}/{{command_id}}", self.delete),
            ]
        return routes

    def offered(self, guild_id: int | None) -> list[dict[str, Any]]:
        """List what a user can pick in this guild, or in a DM."""
        own = self.commands.get(guild_id, {}) if guild_id else {}
        return [*own.values(), *self.commands[None].values()]

    def names(self) -> set[str]:
        return {command["name"] for scope in self.commands.values() for command in scope.values()}

    def remember(self, commands: list[dict[str, Any]]) -> None:
        """Offer what the bot has registered in another run."""
        for command in commands:
            command_id = self._server.ids.next()
            self.commands[None][command_id] = self._filled(command, command_id, None)

    def _scope(self, request: web.Request) -> tuple[int | None, dict[int, dict[str, Any]]]:
        if request.match_info["application_id"] != str(self._server.application_id):
            raise errors.missing_access()
        raw = request.match_info.get("guild_id")
        guild_id = int(raw) if raw else None
        if guild_id is not None and self._server.find_guild(guild_id) is None:
            raise errors.missing_access()
        return guild_id, self.commands.setdefault(guild_id, {})

    def _one(self, request: web.Request) -> tuple[dict[int, dict[str, Any]], int]:
        _, scope = self._scope(request)
        command_id = int(request.match_info["command_id"])
        if command_id not in scope:
            raise errors.unknown_command()
        return scope, command_id

    async def list_all(self, request: web.Request) -> web.Response:
        _, scope = self._scope(request)
        return web.json_response(list(scope.values()))

    async def create(self, request: web.Request) -> web.Response:
        guild_id, scope = self._scope(request)
        command, is_new = self._store(guild_id, scope, request[BODY].json)
        self._server.changed()
        return web.json_response(command, status=201 if is_new else 200)

    async def replace_all(self, request: web.Request) -> web.Response:
        guild_id, scope = self._scope(request)
        wanted: list[dict[str, Any]] = request[BODY].json
        stored = [self._store(guild_id, scope, raw)[0] for raw in wanted]
        kept = {int(command["id"]) for command in stored}
        for command_id in set(scope) - kept:
            del scope[command_id]
        self._server.changed()
        return web.json_response(stored)

    def _store(
        self, guild_id: int | None, scope: dict[int, dict[str, Any]], raw: dict[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        problems = limits.check_command(raw)
        if problems:
            raise errors.invalid_form(problems)
        kind = raw.get("type", 1)
        same = [item for item in scope.values() if (item["name"], item["type"]) == (raw["name"], kind)]
        if not same:
            if sum(item["type"] == kind for item in scope.values()) >= MAX_PER_KIND[kind]:
                raise errors.ApiError(400, 30032, "Maximum number of application commands reached", violation=True)
            self.creates += 1
            if self.creates > MAX_CREATES_A_DAY:
                raise errors.ApiError(429, 30034, "Max number of daily application command creates has been reached")
        command_id = int(same[0]["id"]) if same else self._server.ids.next()
        scope[command_id] = self._filled(raw, command_id, guild_id)
        return scope[command_id], not same

    def _filled(self, raw: dict[str, Any], command_id: int, guild_id: int | None) -> dict[str, Any]:
        """Add what Discord adds: ids, the version, and defaults."""
        permissions = raw.get("default_member_permissions")
        command = {
            "type": 1, "description": "", "nsfw": False, "dm_permission": True, "contexts": None,
            "integration_types": [0], "name_localizations": None, "description_localizations": None, **raw,
            "id": str(command_id), "application_id": str(self._server.application_id),
            "version": str(self._server.ids.next()),
            "default_member_permissions": None if permissions is None else str(permissions),
        }  # fmt: skip
        command.pop("guild_id", None)
        return command | {"guild_id": str(guild_id)} if guild_id else command

    async def get(self, request: web.Request) -> web.Response:
        scope, command_id = self._one(request)
        return web.json_response(scope[command_id])

    async def edit(self, request: web.Request) -> web.Response:
        guild_id, _ = self._scope(request)
        scope, command_id = self._one(request)
        changed = scope[command_id] | request[BODY].json
        problems = limits.check_command(changed)
        if problems:
            raise errors.invalid_form(problems)
        scope[command_id] = self._filled(changed, command_id, guild_id)
        self._server.changed()
        return web.json_response(scope[command_id])

    async def delete(self, request: web.Request) -> web.Response:
        scope, command_id = self._one(request)
        del scope[command_id]
        self._server.changed()
        return web.Response(status=204)
