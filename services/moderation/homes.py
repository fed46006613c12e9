"""Whose rules hold for a request: those of its server; where it belongs to none, those of the servers at home here.

A direct message, the studio and the API belong to no server. Who is banned at home is banned there too; a server that
merely added the bot has no say over them.
"""

from collections.abc import Iterable, Sequence

from generation.job import Origin


class Homes:
    """The servers that the settings name; where they name none, the only one that the bot is in."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._named = tuple(named)
        self._joined: tuple[str, ...] = ()

    def joined(self, guild_ids: Iterable[str]) -> None:
        """Note the servers that the bot is in."""
        self._joined = tuple(guild_ids)

    def of(self, origin: Origin) -> Sequence[str]:
        """Return the ids of the servers whose rules hold for a request."""
        return (origin.guild_id,) if origin.guild_id else self.at_home

    @property
    def at_home(self) -> Sequence[str]:
        """Return the ids of the servers whose rules hold where there is no server."""
        if self._named:
            return self._named
        return self._joined if len(self._joined) == 1 else ()
