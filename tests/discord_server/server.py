"""A local Discord on one loopback port: start, stop, what it holds, and what a test may do to it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self

from aiohttp import web
from nextcord.gateway import KeepAliveHandler

from tests.discord_server import errors, gateway
from tests.discord_server.control import control_routes
from tests.discord_server.errors import Violation
from tests.discord_server.faults import Fault
from tests.discord_server.gateway import Gateway
from tests.discord_server.interaction import Interaction
from tests.discord_server.model import (
    MEMBER_PERMISSIONS,
    PERMISSIONS,
    PUBLIC_THREAD,
    TEXT_CHANNEL,
    Account,
    Attachment,
    Cdn,
    Channel,
    Guild,
    Message,
    Role,
    Snowflakes,
    bits,
)
from tests.discord_server.pipeline import PREFIX, Pipeline, RequestRecord
from tests.discord_server.posting import Poster
from tests.discord_server.rate_limits import PRACTICE, RateLimits
from tests.discord_server.rest_commands import CommandRoutes
from tests.discord_server.rest_interactions import InteractionRoutes
from tests.discord_server.rest_messages import MessageRoutes
from tests.discord_server.rest_misc import MiscRoutes, serve_file
from tests.discord_server.user import User

MAX_BODY_BYTES = 64 * 1024 * 1024
DEFAULT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.GlOcAl.local-discord-token-for-tests-only"


class DiscordServer:
    """One Discord with one bot application in it.

    Args:
        faults: faults that are there from the start; see `fail`.
        message_content: whether the privileged intent is switched on in the "developer portal".
        members_intent: the same for GUILD_MEMBERS.
        rate_limits: True enforces what libraries see in practice; a table of kind -> (requests, seconds) its own.
        check_openapi: hold bodies against the official document where it is present.
        port: 0 picks a free one.
        shards: as many connections it asks for, and requires.
    """

    def __init__(
        self,
        *,
        faults: Iterable[Fault] = (),
        message_content: bool = True,
        members_intent: bool = False,
        rate_limits: bool | dict[str, tuple[int, float]] = False,
        check_openapi: bool = True,
        token: str = DEFAULT_TOKEN,
        port: int = 0,
        shards: int = 1,
    ) -> None:
        self.token, self.port, self.shards = token, port, shards
        self.message_content, self.members_intent = message_content, members_intent
        self.check_openapi = check_openapi
        self.rate_limits = RateLimits(PRACTICE if rate_limits is True else rate_limits or None)
        self.ids, self.cdn = Snowflakes(), Cdn()
        self.faults = list(faults)
        self.requests: list[RequestRecord] = []
        self.violations: list[Violation] = []
        self.rate_limited = 0
        self.clock_offset_s = 0.0
        self.accounts: dict[int, Account] = {}
        self.channels: dict[int, Channel] = {}
        self.guilds: list[Guild] = []
        self.interactions: dict[str, Interaction] = {}
        self.application_id = self.ids.next()
        self.bot = self._account(Account(id=self.application_id, name="easel", bot=True))
        self.gateway = Gateway(self)
        self.poster = Poster(self)
        self.commands = CommandRoutes(self)
        self._change = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.guild = self.add_guild("Studio")
        self.channel = self.add_channel("pictures")

    # -- start and stop

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[Pipeline(self).middleware])
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{filename}", partial(serve_file, self))
        for routes in (self.commands, InteractionRoutes(self.poster), MessageRoutes(self.poster), MiscRoutes(self)):
            for method, path, handler in routes.table():
                app.router.add_route(method, PREFIX + path, handler)
        app.router.add_routes(control_routes(self))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.cdn.base = self.url
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gateway.cut()
        if self._runner is not None:
            await self._runner.cleanup()
        _stop_heartbeats()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """Return what `nextcord.http.Route.BASE` must be set to."""
        return self.url + PREFIX

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    # -- waiting

    def now(self) -> float:
        """Seconds on the server's clock, which `advance` moves."""
        return time.monotonic() + self.clock_offset_s

    def advance(self, seconds: float) -> None:
        self.clock_offset_s += seconds
        self.changed()

    def changed(self) -> None:
        """Wake everybody who waits for a predicate."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        """Wait until the predicate is true, looking after every change; return its value.

        Raises:
            TimeoutError: with the last requests and violations in its text.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (value := predicate()):
                    await self._change.wait()
                return value
        except TimeoutError:
            recent = [(item.method, item.path[:60], item.status) for item in self.requests[-6:]]
            raise TimeoutError(f"not within {timeout_s} s; last requests {recent}; {self.violations}") from None

    async def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Wait until the bot has identified."""
        await self.wait_for(lambda: self.gateway.live, timeout_s)

    async def wait_commands(self, names: set[str], timeout_s: float = 20.0) -> None:
        """Wait until the bot is there and has registered at least these commands."""
        await self.wait_for(lambda: self.gateway.live and names <= self.commands.names(), timeout_s)

    # -- who and what is there

    def _account(self, account: Account) -> Account:
        self.accounts[account.id] = account
        return account

    def add_guild(self, name: str) -> Guild:
        owner = self._account(User(id=self.ids.next(), name=f"{name.lower()}-owner", server=self))
        guild = Guild(id=self.ids.next(), name=name, owner=owner)
        guild.roles[guild.id] = Role(guild.id, "@everyone", MEMBER_PERMISSIONS)
        bot_role = Role(self.ids.next(), self.bot.name, MEMBER_PERMISSIONS)
        guild.roles[bot_role.id] = bot_role
        guild.members = {owner.id: (owner, []), self.bot.id: (self.bot, [bot_role.id])}
        self.guilds.append(guild)
        self.gateway.dispatch("GUILD_CREATE", guild.to_json([self.bot]), gateway.GUILDS)
        return guild

    def add_channel(
        self,
        name: str,
        *,
        nsfw: bool = False,
        permissions: dict[str, bool] | None = None,
        guild: Guild | None = None,
        kind: int = TEXT_CHANNEL,
    ) -> Channel:
        """Add a channel; `permissions` overrides the bot's there, e.g. {"SEND_MESSAGES": False}."""
        channel = Channel(id=self.ids.next(), name=name, guild=guild or self.guild, nsfw=nsfw, kind=kind)
        for permission, allowed in (permissions or {}).items():
            self._override(channel, self.bot.id, permission, allowed=allowed)
        assert channel.guild is not None
        channel.guild.channels.append(channel)
        self.channels[channel.id] = channel
        self.gateway.dispatch("CHANNEL_CREATE", channel.to_json(), gateway.GUILDS)
        return channel

    def add_thread(
        self, name: str, parent: Channel, *, kind: int = PUBLIC_THREAD, is_announced: bool = True
    ) -> Channel:
        """Open a thread, or a post of a forum; not announced, the bot knows of it only by what is said there."""
        thread = Channel(id=self.ids.next(), name=name, guild=parent.guild, kind=kind, parent=parent)
        self.channels[thread.id] = thread
        if is_announced:
            self.gateway.dispatch("THREAD_CREATE", thread.to_json() | {"newly_created": True}, gateway.GUILDS)
        return thread

    def add_user(
        self, name: str, *, admin: bool = False, permissions: Iterable[str] = (), guild: Guild | None = None
    ) -> User:
        """Add a member; `permissions` are names on top of what everyone has."""
        user = User(id=self.ids.next(), name=name, server=self)
        self._account(user)
        guild = guild or self.guild
        granted = bits({*permissions, *(("ADMINISTRATOR",) if admin else ())})
        roles = []
        if granted:
            role = Role(self.ids.next(), f"{name}-role", granted)
            guild.roles[role.id] = role
            self.gateway.dispatch("GUILD_ROLE_CREATE", _role_event(guild, role), gateway.GUILDS)
            roles = [role.id]
        guild.members[user.id] = (user, roles)
        return user

    def user(self, name: str, *, admin: bool = False, permissions: Iterable[str] = ()) -> User:
        """Return the user of this name, added now if need be."""
        found = next((item for item in self.accounts.values() if isinstance(item, User) and item.name == name), None)
        return found or self.add_user(name, admin=admin, permissions=permissions)

    def find_guild(self, guild_id: int) -> Guild | None:
        return next((guild for guild in self.guilds if guild.id == guild_id), None)

    def dm_channel(self, account: Account) -> Channel:
        found = next((item for item in self.channels.values() if item.recipient is account), None)
        if found is None:
            found = Channel(id=self.ids.next(), name=f"@{account.name}", guild=None, recipient=account)
            self.channels[found.id] = found
        return found

    def messages_seen_by(self, user: Account, channel: Channel) -> list[Message]:
        return [message for message in channel.messages if message.visible_to in (None, user)]

    # -- permissions

    def has(self, channel: Channel, permission: str, account: Account | None = None) -> bool:
        if channel.guild is None:
            return True
        if permission == "SEND_MESSAGES" and channel.is_thread:
            permission = "SEND_MESSAGES_IN_THREADS"
        return bool(channel.guild.permissions_of(account or self.bot, channel) & PERMISSIONS[permission])

    def require(self, channel: Channel, *needed: str) -> None:
        for permission in needed:
            if not self.has(channel, permission):
                raise errors.missing_access() if permission == "VIEW_CHANNEL" else errors.missing_permissions()

    def _override(self, channel: Channel, target: int, permission: str, *, allowed: bool) -> None:
        bit, (allow, deny) = PERMISSIONS[permission], channel.overwrites.get(target, (0, 0))
        channel.overwrites[target] = (allow | bit, deny & ~bit) if allowed else (allow & ~bit, deny | bit)

    def revoke(self, *permissions: str, channel: Channel | None = None) -> None:
        """Take permissions from the bot, in one channel or everywhere."""
        self._set_permissions(permissions, channel, allowed=False)

    def grant(self, *permissions: str, channel: Channel | None = None) -> None:
        self._set_permissions(permissions, channel, allowed=True)

    def _set_permissions(self, permissions: Iterable[str], channel: Channel | None, *, allowed: bool) -> None:
        for item in [channel] if channel else [item for item in self.channels.values() if item.guild]:
            for permission in permissions:
                self._override(item, self.bot.id, permission, allowed=allowed)
            self.gateway.dispatch("CHANNEL_UPDATE", item.to_json(), gateway.GUILDS)
        self.changed()

    # -- messages

    def upload(self, channel: Channel, filename: str, data: bytes, description: str | None = None) -> Attachment:
        file = Attachment(self.ids.next(), channel.id, filename, data, self.cdn, description)
        self.cdn.files[file.id] = file
        return file

    def post(self, message: Message) -> None:
        message.channel.messages.append(message)
        self.gateway.dispatch_message("MESSAGE_CREATE", message)
        self.changed()

    def record_edit(self, message: Message, before: str) -> None:
        message.edits.append(self.now())
        message.history.append(before)

    def rest_json(self, message: Message) -> dict[str, Any]:
        """Render for REST, where the message content intent decides as well."""
        session = self.gateway.live
        full = self.message_content if session is None else session.sees_content(message, self.bot.id)
        return message.to_json(full=full)

    def delete_message(self, message: Message, *, is_announced: bool = True) -> None:
        """Delete it; not announced, the bot learns of it only by what it tries next."""
        if message.deleted:
            return
        message.deleted = True
        message.channel.messages.remove(message)
        message.channel.deleted_messages.append(message)
        if message.visible_to is None and is_announced:
            intent = gateway.GUILD_MESSAGES if message.channel.guild else gateway.DIRECT_MESSAGES
            self.gateway.dispatch("MESSAGE_DELETE", {"id": str(message.id), **_place(message.channel)}, intent)
        self.changed()

    def purge(self, messages: list[Message]) -> None:
        """Delete several at once, as moderators' tools do."""
        for message in messages:
            self.delete_message(message, is_announced=False)
        ids = [str(message.id) for message in messages]
        self.gateway.dispatch(
            "MESSAGE_DELETE_BULK", {"ids": ids, **_place(messages[0].channel)}, gateway.GUILD_MESSAGES
        )
        self.changed()

    def delete_channel(self, channel: Channel) -> None:
        channel.deleted = True
        if channel.guild is not None:
            self.gateway.dispatch("CHANNEL_DELETE", channel.to_json(), gateway.GUILDS)
            if channel in channel.guild.channels:
                channel.guild.channels.remove(channel)
        self.changed()

    def add_reaction(self, message: Message, account: Account, emoji: str) -> None:
        people = message.reactions.setdefault(emoji, [])
        if account not in people:
            people.append(account)
            self._announce_reaction("MESSAGE_REACTION_ADD", message, account, emoji)

    def remove_reaction(self, message: Message, account: Account, emoji: str) -> None:
        people = message.reactions.get(emoji, [])
        if account in people:
            people.remove(account)
            if not people:
                del message.reactions[emoji]
            self._announce_reaction("MESSAGE_REACTION_REMOVE", message, account, emoji)

    def _announce_reaction(self, event: str, message: Message, account: Account, emoji: str) -> None:
        guild = message.channel.guild
        data: dict[str, Any] = {"user_id": str(account.id), "message_id": str(message.id)}
        data |= {"emoji": {"id": None, "name": emoji}, "burst": False, "type": 0, **_place(message.channel)}
        if guild is not None and event == "MESSAGE_REACTION_ADD":
            data["member"] = guild.member_json(account)
        self.gateway.dispatch(event, data, gateway.GUILD_REACTIONS if guild else gateway.DIRECT_REACTIONS)
        self.changed()

    # -- faults

    def violate(self, method: str, path: str, rule: str, detail: str) -> None:
        self.violations.append(Violation(method=method, path=path, rule=rule, detail=detail))

    def fail(self, method: str, path: str, **fault: Any) -> Fault:
        """Let requests go wrong: `fail("PATCH", "/webhooks/*", status=503, times=2)`; see `Fault` for the rest.

        The path is without /api/v10, `*` matches anything, files lie under /attachments/.
        """
        self.faults.append(Fault(method=method, path=path, **fault))
        return self.faults[-1]

    def expire_interaction_tokens(self) -> None:
        for interaction in self.interactions.values():
            interaction.expired = True

    def expire_cdn_links(self) -> None:
        """Make every link given out so far a 404; fetching the message again gives fresh ones."""
        self.cdn.generation += 1

    def close_gateway(self, code: int = 4000, *, resumable: bool = True) -> None:
        self.gateway.close(code, resumable=resumable)


def _stop_heartbeats() -> None:
    """End the heartbeat threads of clients that were killed: they would beat into a closed loop, in another test."""
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler):
            thread.stop()


def _place(channel: Channel) -> dict[str, str]:
    place = {"channel_id": str(channel.id)}
    return place | {"guild_id": str(channel.guild.id)} if channel.guild else place


def _role_event(guild: Guild, role: Role) -> dict[str, Any]:
    return {"guild_id": str(guild.id), "role": role.to_json()}
