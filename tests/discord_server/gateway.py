"""The websocket half: gateway v10 with HELLO, IDENTIFY, heartbeats, RESUME and replay.

Source: "Gateway" and "Opcodes and Status Codes" of the official documentation. With `compress=zlib-stream` every
payload ends in a zlib sync flush of one stream per connection.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from tests.discord_server.elsewhere import is_foreign
from tests.discord_server.model import Message

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT, REQUEST_MEMBERS = 0, 1, 2, 3, 6, 7, 8
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
GUILDS, GUILD_MEMBERS, PRESENCES, GUILD_MESSAGES = 1 << 0, 1 << 1, 1 << 8, 1 << 9
GUILD_REACTIONS, GUILD_TYPING, DIRECT_MESSAGES, DIRECT_REACTIONS = 1 << 10, 1 << 11, 1 << 12, 1 << 13
MESSAGE_CONTENT = 1 << 15
INVALID_SHARD, SHARDING_REQUIRED = 4010, 4011
MAX_PAYLOAD_BYTES, MAX_SENDS, SENDS_WINDOW_S = 4096, 120, 60.0


class Connection:
    """One open websocket; a writer task keeps the order of the compressed stream."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self.socket = socket
        self._zlib = zlib.compressobj() if compress else None
        self._queue: asyncio.Queue[dict[str, Any] | int] = asyncio.Queue()
        self._sends: list[float] = []
        self.closed_by_us = False

    def send(self, payload: dict[str, Any]) -> None:
        self._queue.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close with this code once everything queued is sent."""
        self.closed_by_us = True
        self._queue.put_nowait(code)

    async def write(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                if isinstance(item, int):
                    await self.socket.close(code=item)
                    return
                text = json.dumps(item, separators=(",", ":"))
                if self._zlib is None:
                    await self.socket.send_str(text)
                else:
                    data = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(data)
            except (ConnectionError, aiohttp.ClientError):
                return

    def is_flooding(self) -> bool:
        now = time.monotonic()
        self._sends = [sent for sent in self._sends if now - sent < SENDS_WINDOW_S] + [now]
        return len(self._sends) > MAX_SENDS


@dataclass(eq=False, kw_only=True)
class Session:
    """The state that survives a cut connection: the events since, by number."""

    id: str
    intents: int
    seq: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    connection: Connection | None = None
    resumable: bool = True
    shard: tuple[int, int] = (0, 1)

    def hears_of(self, guild_id: int | None) -> bool:
        """Return whether what happens there is told here: direct messages come to the first shard only."""
        number, count = self.shard
        return number == ((guild_id >> 22) % count if guild_id else 0)

    def dispatch(self, event: str, data: dict[str, Any]) -> None:
        self.seq += 1
        payload = {"op": DISPATCH, "s": self.seq, "t": event, "d": data}
        self.log.append(payload)
        if self.connection is not None:
            self.connection.send(payload)

    def sees_content(self, message: Message, bot_id: int) -> bool:
        mentioned = any(user.id == bot_id for user in message.mentions)
        own = message.author.id == bot_id or message.channel.guild is None
        return bool(self.intents & MESSAGE_CONTENT) or own or mentioned


class Gateway:
    """All sessions of the bot, and what a test may do to them."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        self.sessions: list[Session] = []
        self.connections: set[Connection] = set()
        self.presences: list[dict[str, Any]] = []  # what the bot has shown under its name
        self.identifies = 0
        self.resumes = 0
        self.answers_heartbeats = True
        self.heartbeat_interval_s = 41.25

    @property
    def live(self) -> Session | None:
        """The newest session with an open connection."""
        return next((session for session in reversed(self.sessions) if session.connection), None)

    def dispatch(self, event: str, data: dict[str, Any], intent: int = 0) -> None:
        guild_id = data["id"] if event in ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE") else data.get("guild_id")
        for session in self._current(int(guild_id) if guild_id else None):
            if not intent or session.intents & intent:
                session.dispatch(event, data)

    def dispatch_message(self, event: str, message: Message) -> None:
        """Announce a message; ephemeral ones are never sent over the gateway."""
        if message.visible_to is not None or is_foreign(self._server, message.channel.guild):
            return
        guild = message.channel.guild
        intent = GUILD_MESSAGES if guild else DIRECT_MESSAGES
        for session in self._current(guild.id if guild else None):
            if session.intents & intent:
                full = session.sees_content(message, self._server.bot.id)
                session.dispatch(event, message.gateway_json(full=full))

    def dispatch_interaction(self, data: dict[str, Any]) -> None:
        """Send to one session only, as Discord does."""
        guild_id = int(data["guild_id"]) if "guild_id" in data else None
        there = [session for session in self.sessions if session.hears_of(guild_id)]
        session = next((each for each in reversed(there) if each.connection), there[-1] if there else None)
        if session is not None:
            session.dispatch("INTERACTION_CREATE", data)

    def _current(self, guild_id: int | None) -> list[Session]:
        current = [session for session in self.sessions if session.connection or session.resumable]
        return [session for session in current if session.hears_of(guild_id)]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket from HELLO to close."""
        socket = web.WebSocketResponse(autoclose=True)
        await socket.prepare(request)
        connection = Connection(socket, compress=request.query.get("compress") == "zlib-stream")
        self.connections.add(connection)
        writer = asyncio.create_task(connection.write())
        connection.send(
            {"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": int(self.heartbeat_interval_s * 1000)}}
        )
        session: Session | None = None
        try:
            async for received in socket:
                if received.type is not aiohttp.WSMsgType.TEXT:
                    continue
                session = self._receive(connection, session, received.data)
        finally:
            self.connections.discard(connection)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            left = not connection.closed_by_us and socket.close_code in (1000, 1001)
            if session is not None and session.connection is connection:
                session.connection = None
                session.resumable = session.resumable and not left  # such a goodbye ends the session on the spot
            self._server.changed()
        return socket

    def _receive(self, connection: Connection, session: Session | None, text: str) -> Session | None:
        if len(text.encode()) > MAX_PAYLOAD_BYTES:
            connection.close(4002)
            return session
        if connection.is_flooding():
            connection.close(4008)
            return session
        payload = json.loads(text)
        handlers: dict[int, Callable[[Connection, dict[str, Any]], Session | None]] = {
            IDENTIFY: self._identify,
            RESUME: self._resume,
        }
        if payload["op"] in handlers:
            if session is not None:
                connection.close(4005)
                return session
            return handlers[payload["op"]](connection, payload["d"])
        if payload["op"] == HEARTBEAT:
            if self.answers_heartbeats:
                connection.send({"op": HEARTBEAT_ACK, "s": None, "t": None, "d": None})
        elif session is None:
            connection.close(4003)
        elif payload["op"] == REQUEST_MEMBERS:
            self._send_members(session, payload["d"])
        elif payload["op"] == PRESENCE:
            self.presences.append(payload["d"])
            self._server.changed()
        return session

    def _identify(self, connection: Connection, data: dict[str, Any]) -> Session | None:
        server = self._server
        self.identifies += 1
        forbidden = PRESENCES if server.members_intent else PRESENCES | GUILD_MEMBERS
        if not server.message_content:
            forbidden |= MESSAGE_CONTENT
        if data["token"] != server.token:
            connection.close(4004)
            return None
        if data["intents"] & forbidden:
            connection.close(4014)
            return None
        shard = tuple(data.get("shard") or (0, 1))
        if shard[1] < server.shards or not 0 <= shard[0] < shard[1]:
            connection.close(SHARDING_REQUIRED if shard[1] < server.shards else INVALID_SHARD)
            return None
        session = Session(id=secrets.token_hex(16), intents=data["intents"], connection=connection, shard=shard)
        for old in self.sessions:
            if old.connection is None and old.shard == shard:
                old.resumable = False
        self.sessions.append(session)
        guilds = [guild for guild in server.guilds if session.hears_of(guild.id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": server.bot.to_json() | {"verified": True, "mfa_enabled": False, "email": None},
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": server.gateway_url,
                "application": {"id": str(server.application_id), "flags": 0},
                "shard": list(shard),
                "_trace": ["local"],
            },
        )
        for guild in guilds if session.intents & GUILDS else ():
            seen = [member for member, _ in guild.members.values()]
            session.dispatch("GUILD_CREATE", guild.to_json(seen if data["intents"] & GUILD_MEMBERS else [server.bot]))
        server.changed()
        return session

    def _resume(self, connection: Connection, data: dict[str, Any]) -> Session | None:
        self.resumes += 1
        session = next((each for each in self.sessions if each.id == data["session_id"] and each.resumable), None)
        if data["token"] != self._server.token:
            connection.close(4004)
            return None
        if session is None:
            connection.send({"op": INVALID_SESSION, "s": None, "t": None, "d": False})
            return None
        if session.connection is not None:
            session.connection.close(4000)
        session.connection = connection
        for payload in session.log:
            if payload["s"] > (data["seq"] or 0):
                connection.send(payload)
        session.dispatch("RESUMED", {"_trace": ["local"]})
        self._server.changed()
        return session

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        guild = next((guild for guild in self._server.guilds if str(guild.id) == str(data["guild_id"])), None)
        if guild is None:
            return
        wanted = {int(user_id) for user_id in data.get("user_ids") or []}
        query = data.get("query") or ""
        found = [
            account
            for account, _ in guild.members.values()
            if (not wanted or account.id in wanted) and account.name.startswith(query)
        ]
        chunk = {"guild_id": str(guild.id), "members": [guild.member_json(account) for account in found]}
        chunk |= {"chunk_index": 0, "chunk_count": 1, "not_found": [], "nonce": data.get("nonce")}
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def close(self, code: int, *, resumable: bool) -> None:
        """Close every connection of the bot with this code."""
        for session in self.sessions:
            session.resumable = session.resumable and resumable
        for connection in list(self.connections):
            connection.close(code)

    def ask_to_reconnect(self) -> None:
        """Send RECONNECT, which Discord does before it moves a session to another machine."""
        for connection in list(self.connections):
            connection.send({"op": RECONNECT, "s": None, "t": None, "d": None})

    def cut(self) -> None:
        """Drop the TCP connections with no close frame, as a failing network does."""
        for connection in list(self.connections):
            transport = connection.socket._req.transport if connection.socket._req else None
            if transport is not None:
                transport.abort()
