"""The contents of a Discord server: accounts, guilds, roles, channels, messages, files.

Shapes follow the official documentation of API v10 (resources User, Guild, Channel, Message, Permissions).
Nothing here speaks over a socket; `gateway` and the `rest_*` files send what these objects render.
"""

from __future__ import annotations

import contextlib
import io
import mimetypes
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from PIL import Image

from tests.discord_server.layout_parts import relink, texts_in, walk

DISCORD_EPOCH_MS = 1_420_070_400_000
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
TEXT_CHANNEL, DM_CHANNEL, VOICE, NEWS, NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, STAGE = 0, 1, 2, 5, 10, 11, 12, 13
FORUM, MEDIA = 15, 16
VOICES, THREADS = (VOICE, STAGE), (NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD)

PERMISSIONS = {
    "ADMINISTRATOR": 1 << 3,
    "MANAGE_CHANNELS": 1 << 4,
    "MANAGE_GUILD": 1 << 5,
    "ADD_REACTIONS": 1 << 6,
    "VIEW_CHANNEL": 1 << 10,
    "SEND_MESSAGES": 1 << 11,
    "MANAGE_MESSAGES": 1 << 13,
    "EMBED_LINKS": 1 << 14,
    "ATTACH_FILES": 1 << 15,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "MENTION_EVERYONE": 1 << 17,
    "USE_EXTERNAL_EMOJIS": 1 << 18,
    "CONNECT": 1 << 20,
    "USE_APPLICATION_COMMANDS": 1 << 31,
    "SEND_MESSAGES_IN_THREADS": 1 << 38,
}
ALL_PERMISSIONS = (1 << 53) - 1


def bits(names: Any) -> int:
    """Add up permission names."""
    return sum(PERMISSIONS[name] for name in names)


MEMBER_PERMISSIONS = bits(
    (
        "ADD_REACTIONS", "VIEW_CHANNEL", "SEND_MESSAGES", "EMBED_LINKS", "ATTACH_FILES",
        "READ_MESSAGE_HISTORY", "USE_APPLICATION_COMMANDS", "SEND_MESSAGES_IN_THREADS", "CONNECT",
    )
)  # fmt: skip


class Snowflakes:
    """Strictly rising ids that carry the time of their making, as Discord's do."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22)
        return self._last


def iso(moment: datetime) -> str:
    return moment.isoformat()


@dataclass(eq=False)
class Account:
    """Somebody with a name: a person or the bot."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    dms_open: bool = True

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id), "username": self.name, "global_name": None, "discriminator": "0",
            "avatar": None, "bot": self.bot, "flags": 0, "public_flags": 0,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(eq=False)
class Role:
    id: int
    name: str
    permissions: int

    def to_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id), "name": self.name, "permissions": str(self.permissions), "color": 0,
            "hoist": False, "position": 0 if self.name == "@everyone" else 1, "managed": False,
            "mentionable": False, "flags": 0, "icon": None, "unicode_emoji": None,
        }  # fmt: skip


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner: Account
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, tuple[Account, list[int]]] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)
    joined_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def permissions_of(self, account: Account, channel: Channel | None = None) -> int:
        """Compute permissions in the documented order: roles, then everyone, role and member overwrites."""
        if account is self.owner:
            return ALL_PERMISSIONS
        role_ids = self.members[account.id][1] if account.id in self.members else []
        allowed = self.roles[self.id].permissions
        for role_id in role_ids:
            allowed |= self.roles[role_id].permissions
        if allowed & PERMISSIONS["ADMINISTRATOR"]:
            return ALL_PERMISSIONS
        place = (channel.parent or channel) if channel else None  # a thread has the overwrites of its parent
        for target in (self.id, *role_ids, account.id) if place else ():
            allow, deny = place.overwrites.get(target, (0, 0)) if place else (0, 0)
            allowed = allowed & ~deny | allow
        if place is not None and place.kind in VOICES and not allowed & PERMISSIONS["CONNECT"]:
            return 0  # who may not connect sees nothing of the chat either
        return allowed if allowed & PERMISSIONS["VIEW_CHANNEL"] else 0

    def member_json(self, account: Account, *, with_user: bool = True) -> dict[str, Any]:
        _, role_ids = self.members.get(account.id, (account, []))
        member: dict[str, Any] = {
            "roles": [str(role) for role in role_ids], "joined_at": iso(self.joined_at), "nick": None, "avatar": None,
            "deaf": False, "mute": False, "pending": False, "flags": 0, "premium_since": None,
            "communication_disabled_until": None,
        }  # fmt: skip
        return member | {"user": account.to_json()} if with_user else member

    def to_json(self, seen: list[Account]) -> dict[str, Any]:
        return {
            "id": str(self.id), "name": self.name, "owner_id": str(self.owner.id), "icon": None, "splash": None,
            "discovery_splash": None, "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "premium_tier": 0,
            "premium_subscription_count": 0, "system_channel_id": None, "system_channel_flags": 0,
            "rules_channel_id": None, "public_updates_channel_id": None, "safety_alerts_channel_id": None,
            "vanity_url_code": None, "description": None, "banner": None, "preferred_locale": "en-US", "region": "",
            "nsfw_level": 0, "features": [], "emojis": [], "stickers": [], "threads": [], "voice_states": [],
            "presences": [], "stage_instances": [], "guild_scheduled_events": [], "application_id": None,
            "roles": [role.to_json() for role in self.roles.values()],
            "channels": [channel.to_json() for channel in self.channels],
            "members": [self.member_json(account) for account in seen],
            "member_count": len(self.members), "large": False, "unavailable": False,
            "joined_at": iso(self.joined_at), "premium_progress_bar_enabled": False,
        }  # fmt: skip


@dataclass(eq=False)
class Channel:
    id: int
    name: str
    guild: Guild | None
    nsfw: bool = False
    recipient: Account | None = None
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    deleted_messages: list[Message] = field(default_factory=list)
    typing: int = 0
    deleted: bool = False
    kind: int = TEXT_CHANNEL
    parent: Channel | None = None  # of a thread

    @property
    def type(self) -> int:
        return self.kind if self.guild else DM_CHANNEL

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS

    def find(self, message_id: int) -> Message | None:
        return next((message for message in self.messages if message.id == message_id), None)

    def to_json(self) -> dict[str, Any]:
        last = str(self.messages[-1].id) if self.messages else None
        if self.guild is None:
            people = [self.recipient.to_json()] if self.recipient else []
            return {"id": str(self.id), "type": DM_CHANNEL, "recipients": people, "last_message_id": last, "flags": 0}
        if self.is_thread:
            return self._thread_json(last)
        overwrites = [
            {"id": str(key), "type": 0 if key in self.guild.roles else 1, "allow": str(allow), "deny": str(deny)}
            for key, (allow, deny) in self.overwrites.items()
        ]
        shown = {
            "id": str(self.id), "type": self.kind, "guild_id": str(self.guild.id), "name": self.name,
            "position": self.guild.channels.index(self) if self in self.guild.channels else 0, "topic": None,
            "nsfw": self.nsfw, "parent_id": None, "rate_limit_per_user": 0, "permission_overwrites": overwrites,
            "last_message_id": last, "flags": 0,
        }  # fmt: skip
        if self.kind in VOICES:
            shown |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
        if self.kind in (FORUM, MEDIA):
            shown |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        return shown

    def _thread_json(self, last: str | None) -> dict[str, Any]:
        assert self.guild is not None
        assert self.parent is not None
        archive = {"archived": False, "auto_archive_duration": 1440, "locked": False, "invitable": True}
        return {
            "id": str(self.id), "type": self.kind, "guild_id": str(self.guild.id), "name": self.name,
            "parent_id": str(self.parent.id), "owner_id": str(self.guild.owner.id), "last_message_id": last,
            "message_count": len(self.messages), "member_count": 1, "rate_limit_per_user": 0, "flags": 0,
            "total_message_sent": len(self.messages), "applied_tags": [],
            "thread_metadata": archive | {"archive_timestamp": iso(datetime.now(UTC))},
        }  # fmt: skip


class Cdn:
    """The store of files. Links carry a signature that can be expired, as Discord's do after about a day."""

    def __init__(self) -> None:
        self.base = ""
        self.generation = 1
        self.files: dict[int, Attachment] = {}


@dataclass(eq=False)
class Attachment:
    id: int
    channel_id: int
    filename: str
    data: bytes
    cdn: Cdn
    description: str | None = None
    ephemeral: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def content_type(self) -> str:
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    @property
    def url(self) -> str:
        path = f"/attachments/{self.channel_id}/{self.id}/{quote(self.filename)}"
        return f"{self.cdn.base}{path}?ex=7fffffff&is=6fffffff&hm={self.cdn.generation:x}"

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": str(self.id), "filename": self.filename, "size": self.size, "url": self.url, "proxy_url": self.url,
            "content_type": self.content_type,
        }  # fmt: skip
        if self.description:
            shown["description"] = self.description
        if self.ephemeral:
            shown["ephemeral"] = True
        if self.content_type.startswith("image/"):
            # Discord too gives no size for a file that only claims to be a picture
            with contextlib.suppress(OSError, Image.DecompressionBombError, Image.DecompressionBombWarning):
                shown["width"], shown["height"] = Image.open(io.BytesIO(self.data)).size
        return shown


@dataclass(eq=False)
class Message:
    """One message as it stands now; `history` holds what it said before each edit."""

    id: int
    channel: Channel
    author: Account
    content: str = ""
    raw_embeds: list[dict[str, Any]] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    reference: Message | None = None
    flags: int = 0
    type: int = 0
    interaction: Any = None
    visible_to: Account | None = None
    allowed_mentions: dict[str, Any] | None = None
    mentions: list[Account] = field(default_factory=list)
    pings: list[Account] = field(default_factory=list)
    pings_everyone: bool = False
    created_t: float = 0.0
    edits: list[float] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    reactions: dict[str, list[Account]] = field(default_factory=dict)
    nonce: Any = None
    deleted: bool = False
    edited_at: datetime | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """True while a user sees "thinking"."""
        return bool(self.flags & LOADING)

    @property
    def attachments(self) -> list[Attachment]:
        """Files shown below the text; those an embed shows are not among them, as on Discord."""
        if self.is_layout:
            return []
        shown = set(re.findall(r"attachment://([^'\"]+)", repr(self.raw_embeds)))
        return [file for file in self.files if file.filename not in shown]

    @property
    def embeds(self) -> list[dict[str, Any]]:
        """Embeds as a client receives them: `attachment://` has become a link."""
        links = {f"attachment://{file.filename}": file.url for file in self.files}
        return [relink(embed, links) for embed in self.raw_embeds]

    @property
    def controls(self) -> list[dict[str, Any]]:
        """Every button and menu of the message, row by row."""
        return [item for item in walk(self.components) if item.get("custom_id") or item.get("url")]

    @property
    def is_layout(self) -> bool:
        return bool(self.flags & COMPONENTS_V2)

    @property
    def text(self) -> str:
        """The words of the message, whichever kind it is."""
        return texts_in(self.components) if self.is_layout else self.content

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons that can be pressed."""
        return [item.get("label", "") for item in self.controls if item["type"] == 2 and not item.get("disabled")]

    def _linked_components(self) -> list[dict[str, Any]]:
        """Return the components as a client receives them, with links to the files."""
        links = {f"attachment://{file.filename}": file.url for file in self.files}
        return [relink(item, links) for item in self.components]

    def to_json(self, *, full: bool = True, nested: bool = True) -> dict[str, Any]:
        """Render the message; not `full` is what a bot without the MESSAGE_CONTENT intent receives."""
        shown: dict[str, Any] = {
            "id": str(self.id), "channel_id": str(self.channel.id), "author": self.author.to_json(),
            "content": self.content if full else "", "timestamp": iso(self.created_at),
            "edited_timestamp": iso(self.edited_at) if self.edited_at else None, "tts": False,
            "mention_everyone": self.pings_everyone, "mentions": [user.to_json() for user in self.mentions],
            "mention_roles": [], "attachments": [file.to_json() for file in self.attachments] if full else [],
            "embeds": self.embeds if full else [], "components": self._linked_components() if full else [],
            "pinned": False, "type": self.type, "flags": self.flags,
            "reactions": [
                {"emoji": {"id": None, "name": emoji}, "count": len(people), "me": any(p.bot for p in people)}
                for emoji, people in self.reactions.items()
            ],
        }  # fmt: skip
        if self.nonce is not None:
            shown["nonce"] = self.nonce
        if self.reference is not None and nested:
            shown["message_reference"] = {"message_id": str(self.reference.id), "channel_id": str(self.channel.id)}
            gone = self.reference.deleted
            shown["referenced_message"] = None if gone else self.reference.to_json(full=full, nested=False)
        if self.interaction is not None:
            shown |= self.interaction.stamp()
        return shown

    def gateway_json(self, *, full: bool = True) -> dict[str, Any]:
        """Render for MESSAGE_CREATE and MESSAGE_UPDATE, which add the guild and the member."""
        guild = self.channel.guild
        if guild is None:
            return self.to_json(full=full)
        return self.to_json(full=full) | {
            "guild_id": str(guild.id),
            "member": guild.member_json(self.author, with_user=False),
        }

    def __repr__(self) -> str:
        return f"<Message {self.author.name}: {self.content!r} {len(self.raw_embeds)} embeds {self.files}>"
