"""Turns a body of the bot into a message, or into an edit of one; the same for channels and interactions.

Source: "Create Message", "Edit Message", "Uploading Files" and "Allowed Mentions" of the official documentation.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.discord_server import errors
from tests.discord_server.layout_parts import named_files, texts_in
from tests.discord_server.model import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    Account,
    Attachment,
    Channel,
    Message,
)
from tests.discord_server.uploads import Body

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

USER_MENTION = re.compile(r"<@!?(\d+)>")
EVERYONE = re.compile(r"@(everyone|here)\b")
CDN_LINK = re.compile(r"/attachments/\d+/(\d+)/")


class Poster:
    """Creates and edits the bot's messages."""

    def __init__(self, server: DiscordServer) -> None:
        self.server = server

    def check(self, problems: list[errors.Problem]) -> None:
        """Refuse the body, as Discord does, when it breaks a limit."""
        if problems:
            raise errors.invalid_form(problems)

    def create(
        self,
        channel: Channel,
        body: Body,
        *,
        reference: Message | None = None,
        interaction: Any = None,
        visible_to: Account | None = None,
        flags: int = 0,
    ) -> Message:
        """Post a message of the bot and announce it."""
        data = body.json or {}
        unasked = 20 if interaction is not None and interaction.type == 2 else 0
        kind = 19 if reference else unasked
        message = Message(
            id=self.server.ids.next(),
            channel=channel,
            author=self.server.bot,
            content=data.get("content") or "",
            components=data.get("components") or [],
            reference=reference,
            flags=flags | ((data.get("flags") or 0) & (EPHEMERAL | COMPONENTS_V2 | 4)),
            type=kind,
            interaction=interaction,
            visible_to=visible_to,
            nonce=data.get("nonce"),
            created_t=self.server.now(),
        )
        self._attach(message, body, keep=None)
        self._refuse_unknown_files(message)
        message.raw_embeds = self._embeds(message, data, body)
        self._mentions(message, data)
        if not flags & LOADING:
            self._refuse_empty(message)
        self.server.post(message)
        return message

    def edit(self, message: Message, body: Body, *, announce: bool = True) -> None:
        """Change what the body names; `attachments` is the list of what stays."""
        data = body.json or {}
        before = (message.content, message.raw_embeds, message.files, message.components)
        flags = message.flags
        message.flags |= (data.get("flags") or 0) & COMPONENTS_V2
        embeds = data.get("embeds", message.raw_embeds)
        if "content" in data:
            message.content = data["content"] or ""
        if "components" in data:
            message.components = data["components"] or []
        keep = {int(item["id"]) for item in data["attachments"] or []} if "attachments" in data else None
        shown_in_embeds = repr(embeds) if "embeds" in data else repr(message.raw_embeds)
        old_files = message.files
        if keep is not None:
            keep |= {file.id for file in old_files if f"/{file.id}/" in shown_in_embeds}
            if "embeds" not in data and not message.is_layout:
                visible = {file.id for file in message.attachments}
                keep |= {file.id for file in old_files if file.id not in visible}
        self._attach(message, body, keep=keep)
        message.raw_embeds = self._embeds(message, {"embeds": embeds}, body)
        if "content" in data or (message.is_layout and "components" in data):
            pinged, everyone = message.pings, message.pings_everyone
            self._mentions(message, data)
            if not message.loading:  # an edit pings nobody; the end of a deferral does
                message.pings, message.pings_everyone = pinged, everyone
        try:
            self._refuse_empty(message)
            self._refuse_unknown_files(message)
        except errors.ApiError:
            message.content, message.raw_embeds, message.files, message.components = before
            message.flags = flags
            raise
        if message.loading:
            message.flags &= ~LOADING
        self.server.record_edit(message, before[0] or texts_in(before[3]))
        message.edited_at = datetime.now(UTC)
        if announce:
            self.server.gateway.dispatch_message("MESSAGE_UPDATE", message)
        self.server.changed()

    def _attach(self, message: Message, body: Body, *, keep: set[int] | None) -> None:
        stays = [file for file in message.files if keep is None or file.id in keep]
        described = {str(item["id"]): item for item in (body.json or {}).get("attachments") or []}
        for index, (filename, data) in sorted(body.files.items()):
            item = described.get(str(index), {})
            name = re.sub(r"[^\w.\-]", "_", item.get("filename") or filename)
            if not data:
                body.notes.append(f"empty file {name}: was one File object sent twice?")
            file = self.server.upload(message.channel, name, data, item.get("description"))
            file.ephemeral = message.ephemeral
            stays.append(file)
        if len(stays) > 10:
            raise errors.invalid_form([("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")])
        message.files = stays

    def _embeds(self, message: Message, data: dict[str, Any], body: Body) -> list[dict[str, Any]]:
        embeds = data.get("embeds") or []
        if embeds and not message.interaction and not self.server.has(message.channel, "EMBED_LINKS"):
            return []  # Discord drops them without a word
        by_id = {file.id: file for file in message.files}
        names = {file.filename for file in message.files}
        return [self._own_links(embed, by_id, names, body) for embed in embeds]

    def _own_links(self, value: Any, by_id: dict[int, Attachment], names: set[str], body: Body) -> Any:
        if isinstance(value, dict):
            return {key: self._own_links(inner, by_id, names, body) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._own_links(inner, by_id, names, body) for inner in value]
        if not isinstance(value, str):
            return value
        link = CDN_LINK.search(value) if value.startswith(self.server.cdn.base) else None
        if link and int(link[1]) in by_id:
            return f"attachment://{by_id[int(link[1])].filename}"
        if value.startswith("attachment://") and value.removeprefix("attachment://") not in names:
            body.notes.append(f"embed shows {value}, but the message has no such file")
        return value

    def _refuse_empty(self, message: Message) -> None:
        if message.content or message.raw_embeds or message.files or message.flags & COMPONENTS_V2:
            return
        if not message.components:
            raise errors.empty_message()

    def _refuse_unknown_files(self, message: Message) -> None:
        missing = named_files(message.components) - {file.filename for file in message.files}
        if missing:
            text = f"The referenced attachment was not found: {sorted(missing)}"
            raise errors.invalid_form([("components", "COMPONENT_MEDIA_NOT_FOUND", text)])

    def _mentions(self, message: Message, data: dict[str, Any]) -> None:
        """Work out who is named and who is pinged."""
        accounts = self.server.accounts
        named = [accounts[int(user)] for user in USER_MENTION.findall(message.text) if int(user) in accounts]
        message.mentions = list(dict.fromkeys(named))
        rules = message.allowed_mentions = data.get("allowed_mentions")
        if rules is None:
            rules = {
                "parse": ["users"] if message.interaction else ["users", "roles", "everyone"],
                "replied_user": True,
            }
        listed = {int(user) for user in rules.get("users") or []}
        parse = rules.get("parse") or []
        message.pings = [user for user in message.mentions if "users" in parse or user.id in listed]
        replied = message.reference.author if message.reference else None
        if replied is not None and rules.get("replied_user", False) and replied not in message.pings:
            message.pings.append(replied)
        if replied is not None and replied not in message.mentions:
            message.mentions.append(replied)
        message.pings_everyone = (
            "everyone" in parse
            and bool(EVERYONE.search(message.text))
            and self.server.has(message.channel, "MENTION_EVERYONE")
        )
