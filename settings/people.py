"""Who may sign in to the studio, and who has all rights there."""

from typing import ClassVar

from pydantic import SecretStr

from settings.fields import Group, IdTexts, names_of, secret, text


class PeopleSettings(Group):
    title: ClassVar[str] = "Signing in"

    guild_ids: IdTexts = names_of(
        "Servers whose members may sign in to the studio; empty: those of DISCORD_GUILD_IDS",
        "server ids, like 123,456",
        variable="WEB_ALLOWED_GUILDS",
        otherwise=["DISCORD_GUILD_IDS"],
    )
    admin_ids: IdTexts = names_of(
        "Users with all rights in the studio", "Discord user ids, like 123,456", variable="WEB_ADMINS"
    )
    client_id: str = text(
        "",
        "OAuth2 client id, to sign in with Discord (docs/discord-setup.md)",
        "a number",
        variable="DISCORD_CLIENT_ID",
        pattern=r"^\d*$",
    )
    client_secret: SecretStr = secret("OAuth2 client secret", "the secret", variable="DISCORD_CLIENT_SECRET")
