"""The settings of the bot."""

from typing import Annotated, ClassVar, Literal

from pydantic import SecretStr, ValidationInfo, field_validator

from constants import DISCORD_API_URL
from settings.fields import HTTP_URL, Group, Ids, Lower, Span, Url, names_of, number, secret, span, switch, text
from texts.text import _


class DiscordSettings(Group):
    title: ClassVar[str] = "Discord"
    live: ClassVar[frozenset[str]] = frozenset({"admin_channel_id"})

    token: SecretStr = secret(
        _("Bot token (docs/discord-setup.md); empty: no Discord, the console starts instead"),
        _("the token"),
        variable="DISCORD_TOKEN",
    )
    guild_ids: Ids = names_of(
        _("Servers where slash commands appear at once; empty: all servers"),
        _("server ids, like 123,456"),
        variable="DISCORD_GUILD_IDS",
    )
    prefix: str = text(
        "!", _("Prefix of text commands"), "1 to 5 characters", variable="COMMAND_PREFIX", min_length=1, max_length=5
    )
    ping_after_s: Span = span(30.0, _("Ping the user if a picture took longer; 0: never"), low=0, high=86400)
    card_style: Annotated[Literal["classic", "v2"], Lower] = text(
        "classic",
        _("How pictures are shown: classic, or v2 (a frame with the picture inside); messages that are there stay"),
        _("classic or v2"),
    )
    admin_channel_id: str = text(
        "",
        _("Channel that hears of warnings (errors, slow pictures, the budget, a refused key), beside the webhook"),
        _("a channel id, like 123"),
        variable="ADMIN_CHANNEL_ID",
        pattern=r"^\d*$",
    )
    user_install: bool = switch(
        False,
        _("Commands also for people who have added the app to their account, in any server (docs/discord-setup.md)"),
    )
    shard_count: int = number(
        0,
        _("Connections of the whole bot (shards), by all its processes; 0: as many as Discord asks for"),
        low=0,
        high=10000,
    )
    shard_ids: Ids = names_of(
        _("Shards of this process, where several processes share the bot; empty: all"),
        _("numbers below SHARD_COUNT, which must be set, like 0,1"),
    )
    api_url: Url = text(
        DISCORD_API_URL,
        _("Address of Discord's API, or of a REST proxy"),
        _("an address like {discord_api_url}", discord_api_url=DISCORD_API_URL),
        variable="DISCORD_API_URL",
        pattern=HTTP_URL,
    )

    @field_validator("shard_ids")
    @classmethod
    def _are_shards(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        count = info.data.get("shard_count", 0)
        if any(not 0 <= shard_id < count for shard_id in value):
            raise ValueError(_("these are no shards"))
        return tuple(sorted(set(value)))

    @property
    def has_first_shard(self) -> bool:
        """Return whether this process hears direct messages, and registers the commands for all of them."""
        return not self.shard_ids or 0 in self.shard_ids
