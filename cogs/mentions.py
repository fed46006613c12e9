"""Resolve the mentions in a text: the names people see there, for the words of a prompt."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

import nextcord

from cogs.posting import TRANSIENT
from lazy import pattern

MOST_FETCHED: Final = 3  # people whom the bot has not seen yet: each costs a request
FETCH_TIMEOUT_S: Final = 1.0  # an interaction has to be answered within three seconds
_MENTION: Final = pattern(r"<(@[!&]?|#)(\d{1,25})>")


def names_in(message: nextcord.Message) -> dict[str, str]:
    """Return the names behind the mentions of a message, as `plain_words` takes them."""
    return _names(message.content, message.guild, message.mentions)


async def names_of_interaction(interaction: nextcord.Interaction, *texts: str | None) -> dict[str, str]:
    """Return the names behind the mentions in what somebody typed into a command or form."""
    text = " ".join(filter(None, texts))
    if "<" not in text:
        return {}
    guild = interaction.guild
    names = _names(text, guild, [interaction.user] if interaction.user else [])
    unseen = [person for kind, person in _mentions(text) if kind == "@" and f"@{person}" not in names]
    if guild is not None and unseen:
        people = await asyncio.gather(*(_fetch(guild, person) for person in dict.fromkeys(unseen[:MOST_FETCHED])))
        names |= {f"@{person.id}": person.display_name for person in people if person}
    return names


def _names(text: str, guild: nextcord.Guild | None, people: Iterable[Any]) -> dict[str, str]:
    names = {f"@{person.id}": person.display_name for person in people}
    for kind, number in _mentions(text) if guild else ():
        key = f"{kind}{number}"
        found = _look_up(guild, kind, number) if guild and key not in names else None
        if found is not None:
            names[key] = found
    return names


def _look_up(guild: nextcord.Guild, kind: str, number: int) -> str | None:
    if kind == "@":
        member = guild.get_member(number)
        return member.display_name if member else None
    known: Any = guild.get_role(number) if kind == "@&" else guild.get_channel_or_thread(number)
    return str(known.name) if known else None


def _mentions(text: str) -> Iterator[tuple[str, int]]:
    for kind, number in _MENTION.findall(text):
        yield kind.rstrip("!"), int(number)


async def _fetch(guild: nextcord.Guild, person: int) -> nextcord.Member | None:
    try:
        return await asyncio.wait_for(guild.fetch_member(person), FETCH_TIMEOUT_S)
    except (nextcord.HTTPException, *TRANSIENT):
        return None
