"""A person with a keyboard and a mouse: what the tests use to drive the bot from outside."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.discord_server.elsewhere import owners
from tests.discord_server.filling import Filling
from tests.discord_server.interaction import (
    ACKNOWLEDGE_WITHIN_S,
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Modal,
)
from tests.discord_server.limits import MAX_CONTENT, MAX_FILE_BYTES
from tests.discord_server.model import MEMBER_PERMISSIONS, Account, Channel, Message
from tests.discord_server.posting import USER_MENTION
from tests.discord_server.slash import NotPossible, OptionData, find_command

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

__all__ = ["NotPossible", "User"]
Upload = tuple[str, bytes]
BUTTON = 2
WAIT_S = ACKNOWLEDGE_WITHIN_S + 0.05


class User(Account):
    """A member of the default guild. Whatever Discord's client would not allow raises `NotPossible`."""

    def __init__(self, *, id: int, name: str, server: DiscordServer) -> None:
        super().__init__(id=id, name=name)
        self.server = server

    @property
    def dm_channel(self) -> Channel:
        """The conversation with the bot."""
        return self.server.dm_channel(self)

    @property
    def dms(self) -> list[Message]:
        return self.dm_channel.messages

    def sees(self, channel: Channel) -> list[Message]:
        return self.server.messages_seen_by(self, channel)

    # -- messages

    async def say(
        self,
        channel: Channel,
        content: str = "",
        *,
        attachments: Sequence[Upload] = (),
        reply_to: Message | None = None,
        ping: bool = True,
    ) -> Message:
        """Send a message; `ping` is the @ switch of a reply."""
        if len(content) > MAX_CONTENT or any(len(data) > MAX_FILE_BYTES for _, data in attachments):
            raise NotPossible("the client refuses a message this large")
        if not content and not attachments:
            raise NotPossible("nothing to send")
        if channel.deleted or not self.server.has(channel, "SEND_MESSAGES", self):
            raise NotPossible(f"{self.name} cannot write in {channel.name}")
        named = [int(user_id) for user_id in USER_MENTION.findall(content)]
        mentions = [self.server.accounts[user_id] for user_id in named if user_id in self.server.accounts]
        if reply_to is not None and ping and reply_to.author not in mentions:
            mentions.append(reply_to.author)
        message = Message(
            id=self.server.ids.next(),
            channel=channel,
            author=self,
            content=content,
            files=[self.server.upload(channel, name, data) for name, data in attachments],
            reference=reply_to,
            type=19 if reply_to else 0,
            mentions=mentions,
            created_t=self.server.now(),
        )
        self.server.post(message)
        return message

    async def edit(self, message: Message, content: str) -> None:
        self._must_own(message)
        before, message.content = message.content, content
        self.server.record_edit(message, before)
        message.edited_at = datetime.now(UTC)
        self.server.gateway.dispatch_message("MESSAGE_UPDATE", message)
        self.server.changed()

    async def delete(self, message: Message) -> None:
        self._must_own(message)
        self.server.delete_message(message)

    async def react(self, message: Message, emoji: str) -> None:
        self.server.add_reaction(message, self, emoji)

    async def unreact(self, message: Message, emoji: str) -> None:
        self.server.remove_reaction(message, self, emoji)

    def _must_own(self, message: Message) -> None:
        if message.author is not self:
            raise NotPossible("not their own message")

    # -- interactions

    async def slash(self, channel: Channel, name: str, /, **options: Any) -> Interaction:
        """Run a slash command and wait for the first answer; subcommands as "style add"."""
        head, *path = name.split()
        command = find_command(self, channel, head, 1)
        builder = OptionData(self, channel)
        data = {"id": command["id"], "name": head, "type": 1, "options": builder.build(command, path, options)}
        return await self._interact(COMMAND, channel, self._command_data(command, data, builder))

    async def autocomplete(
        self, channel: Channel, name: str, option: str, typed: str, /, **others: Any
    ) -> list[dict[str, Any]]:
        """Type into an option; return the choices shown, each with "name" and "value"."""
        head, *path = name.split()
        command = find_command(self, channel, head, 1)
        builder = OptionData(self, channel, focused=option)
        filled = builder.build(command, path, {**others, option: typed})
        data = {"id": command["id"], "name": head, "type": 1, "options": filled}
        return (await self._interact(AUTOCOMPLETE, channel, self._command_data(command, data, builder))).choices

    async def context_menu(
        self, name: str, target: Message | Account, *, channel: Channel | None = None
    ) -> Interaction:
        """Right-click a message or a user and pick an app command."""
        where = target.channel if isinstance(target, Message) else channel or self.server.channel
        kind = 3 if isinstance(target, Message) else 2
        command = find_command(self, where, name, kind)
        builder = OptionData(self, where)
        if isinstance(target, Message):
            builder.resolved["messages"] = {str(target.id): target.to_json()}
        else:
            builder._resolve_user(target)
        data = {"id": command["id"], "name": name, "type": kind, "target_id": str(target.id)}
        return await self._interact(COMMAND, where, self._command_data(command, data, builder))

    def _command_data(self, command: dict[str, Any], data: dict[str, Any], builder: OptionData) -> dict[str, Any]:
        if builder.resolved:
            data["resolved"] = builder.resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data

    async def click(self, message: Message, label_or_custom_id: str) -> Interaction:
        """Press a button by its label, custom id or emoji."""
        button = self._control(message, label_or_custom_id, (BUTTON,))
        if button.get("url"):
            raise NotPossible("a link button opens a page, the bot hears nothing")
        data = {"custom_id": button["custom_id"], "component_type": BUTTON}
        return await self._interact(COMPONENT, message.channel, data, source=message)

    async def select(self, message: Message, custom_id: str, values: Sequence[str]) -> Interaction:
        """Choose in a menu, by custom id or placeholder; values as the bot named them, or labels."""
        menu = self._control(message, custom_id, (3, 5, 6, 7, 8))
        if not menu.get("min_values", 1) <= len(values) <= menu.get("max_values", 1):
            raise NotPossible(f"the menu takes {menu.get('min_values', 1)} to {menu.get('max_values', 1)} values")
        chosen = list(values)
        if menu["type"] == 3:
            by_text = {
                text: option["value"] for option in menu["options"] for text in (option["label"], option["value"])
            }
            if not set(values) <= set(by_text):
                raise NotPossible(f"the menu offers {[option['label'] for option in menu['options']]}")
            chosen = [by_text[value] for value in values]
        data = {"custom_id": menu["custom_id"], "component_type": menu["type"], "values": chosen}
        return await self._interact(COMPONENT, message.channel, data, source=message)

    async def forge(
        self, message: Message, custom_id: str, *, values: Sequence[str] = (), form: dict[str, str] | None = None
    ) -> Interaction:
        """Send a press that no client offers: any id, under any message; `form`: as a filled-in form instead."""
        if form is not None:
            fields = [{"type": 4, "custom_id": name, "value": value} for name, value in form.items()]
            rows = [{"type": 1, "components": [field]} for field in fields]
            data: dict[str, Any] = {"custom_id": custom_id, "components": rows}
            return await self._interact(MODAL_SUBMIT, message.channel, data, source=message)
        data = {"custom_id": custom_id, "component_type": 3 if values else BUTTON}
        data |= {"values": list(values)} if values else {}
        return await self._interact(COMPONENT, message.channel, data, source=message)

    def _control(self, message: Message, name: str, kinds: tuple[int, ...]) -> dict[str, Any]:
        if message.deleted or message.visible_to not in (None, self):
            raise NotPossible(f"{self.name} does not see this message")
        items = [item for item in message.controls if item["type"] in kinds]
        for key in ("custom_id", "label", "placeholder"):
            for item in items:
                if item.get(key) == name or (item.get("emoji") or {}).get("name") == name:
                    if item.get("disabled"):
                        raise NotPossible(f"{name!r} is greyed out")
                    return item
        shown = [(item.get("label") or item.get("placeholder"), item.get("custom_id")) for item in items]
        raise NotPossible(f"no control {name!r}; there are {shown}")

    async def submit(self, modal: Modal, values: dict[str, Any] | None = None) -> Interaction:
        """Fill in a form by custom id or label and send it; fields not named keep what was filled in.

        A text for text; for a menu or a group the labels or values chosen; for files (name, bytes) pairs; a checkbox
        True or False.
        """
        filling = Filling(self, modal, dict(values or {}))
        opener = modal.interaction
        data: dict[str, Any] = {"custom_id": modal.custom_id, "components": filling.components()}
        if filling.resolved:
            data["resolved"] = filling.resolved
        return await self._interact(MODAL_SUBMIT, opener.channel, data, source=opener.source)

    async def _interact(
        self, kind: int, channel: Channel, data: dict[str, Any], *, source: Message | None = None
    ) -> Interaction:
        """Send INTERACTION_CREATE and wait for the first answer, at most three seconds."""
        server = self.server
        data = {**data, "application_id": str(server.application_id)}
        interaction = Interaction(
            id=server.ids.next(),
            token=secrets.token_urlsafe(48),
            type=kind,
            user=self,
            channel=channel,
            data=data,
            created_t=server.now(),
            source=source,
        )
        server.interactions[interaction.token] = interaction
        server.gateway.dispatch_interaction(self._payload(interaction))
        with contextlib.suppress(TimeoutError):  # then the user reads "The application did not respond"
            await server.wait_for(lambda: interaction.callback_type or interaction.is_late(server.now()), WAIT_S)
        return interaction

    def _payload(self, interaction: Interaction) -> dict[str, Any]:
        channel, guild, server = interaction.channel, interaction.channel.guild, self.server
        data = {key: value for key, value in interaction.data.items() if key != "application_id"}
        payload: dict[str, Any] = {
            "id": str(interaction.id), "application_id": str(server.application_id), "type": interaction.type,
            "data": data, "channel_id": str(channel.id), "channel": channel.to_json(), "token": interaction.token,
            "version": 1, "locale": self.locale, "entitlements": [], "attachment_size_limit": MAX_FILE_BYTES,
            "context": 0 if guild else 1, "authorizing_integration_owners": owners(server, self, channel),
        }  # fmt: skip
        if guild is not None:
            member = guild.member_json(self) | {"permissions": str(guild.permissions_of(self, channel))}
            payload |= {"guild_id": str(guild.id), "guild_locale": "en-US", "member": member}
            payload["app_permissions"] = str(guild.permissions_of(server.bot, channel) or MEMBER_PERMISSIONS)
        else:
            payload |= {"user": self.to_json(), "app_permissions": "0"}
        if interaction.source is not None:
            payload["message"] = interaction.source.to_json()
        return payload
