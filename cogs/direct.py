"""Direct messages: the channel with each person, asked for once."""

from dataclasses import replace
from typing import Final

import nextcord

from cogs.cards import Card

MOST_KNOWN: Final = 5000


class DirectRooms:
    """One per bot. The ids of channels with people do not change.

    `hears_presses`: whether presses in them come to this process, which has the first shard.
    """

    def __init__(self, bot: nextcord.Client, *, hears_presses: bool = True) -> None:
        self._bot = bot
        self._hears_presses = hears_presses
        self._known: dict[str, int] = {}  # by the id of the person

    async def of(self, user_id: str) -> nextcord.PartialMessageable:
        """Return the channel with a person.

        Raises:
            nextcord.HTTPException: there is none, as with other bots.
        """
        if user_id not in self._known:
            raw = await self._bot.http.start_private_message(int(user_id))
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[user_id] = int(raw["id"])
        return self._bot.get_partial_messageable(self._known[user_id], type=nextcord.ChannelType.private)

    def is_one(self, channel_id: str | None) -> bool:
        """Return whether a channel is one with a person, as far as this process has come to know."""
        return channel_id is not None and int(channel_id) in self._known.values()

    def card(self, card: Card) -> Card:
        """Return what a card shows there: no buttons where another process, which knows no job of ours, hears them."""
        return card if self._hears_presses else replace(card, rows=())
