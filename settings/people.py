"""People who may sign in to the studio, and those who have all rights there."""

from typing import ClassVar

from pydantic import SecretStr

from settings.fields import Group, IdTexts, names_of, secret, text
from texts.text import _


class PeopleSettings(Group):
    title: ClassVar[str] = _("Signing in")
    live: ClassVar[frozenset[str]] = frozenset({"admin_ids", "client_id", "client_secret"})

    guild_ids: IdTexts = names_of(
        _("Servers whose members may sign in to the studio; empty: those of DISCORD_GUILD_IDS"),
        _("server ids, like 123,456"),
        variable="WEB_ALLOWED_GUILDS",
        otherwise=["DISCORD_GUILD_IDS"],
    )
    admin_ids: IdTexts = names_of(
        _("Users with all rights in the studio"), _("Discord user ids, like 123,456"), variable="WEB_ADMINS"
    )
    client_id: str = text(
        "",
        _("OAuth2 client id, to sign in with Discord (docs/discord-setup.md)"),
        _("a number"),
        variable="DISCORD_CLIENT_ID",
        pattern=r"^\d*$",
    )
    client_secret: SecretStr = secret(_("OAuth2 client secret"), _("the secret"), variable="DISCORD_CLIENT_SECRET")
