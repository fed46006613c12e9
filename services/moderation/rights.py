"""Rights: to moderate a server, and to do as the owner of this Easel does. Every moderating command asks here."""

from collections.abc import Awaitable, Callable, Collection, Iterable

from generation.errors import NotAllowed, RequestRejected
from generation.person import Person
from texts.text import _

RolesOf = Callable[[str], Awaitable[Collection[str]]]


async def no_roles(guild_id: str) -> Collection[str]:
    """Return no role: without house rules only people with Manage Server moderate."""
    return ()


class Rights:
    """Moderators have Manage Server or a role that `/setup` names; admins are named in the settings."""

    def __init__(self, admins: Iterable[str] = ()) -> None:
        self.name_admins(admins)
        self.moderator_roles: RolesOf = no_roles

    def name_admins(self, user_ids: Iterable[str]) -> None:
        """Take these users of Discord, and no others, for admins from now on."""
        self._admins = frozenset(f"discord:{user_id}" for user_id in user_ids)

    def is_admin(self, person: Person) -> bool:
        return person.is_admin or person.user_key in self._admins

    def check_admin(self, person: Person) -> None:
        """Refuse who is no admin of this Easel.

        Raises:
            NotAllowed: with who may.
        """
        if not self.is_admin(person):
            raise NotAllowed(
                _("Only admins of this bot may do that."),
                hint=_("The owner names them in the setting WEB_ADMINS."),
            )

    def check_manager(self, person: Person) -> str:
        """Return the id of the server that somebody manages.

        Raises:
            NotAllowed: they do not.
            RequestRejected: there is no server here.
        """
        if not person.guild_id:
            raise RequestRejected(_("There is no server here: say it in a channel of the server."))
        if not (person.is_manager or self.is_admin(person)):
            raise NotAllowed(_("Only people with Manage Server may do that."))
        return person.guild_id

    async def is_moderator(self, person: Person) -> bool:
        """Return whether somebody may moderate the server they are in."""
        if not person.guild_id:
            return False
        if person.is_manager or self.is_admin(person):
            return True
        return not frozenset(await self.moderator_roles(person.guild_id)).isdisjoint(person.roles)

    async def check_moderator(self, person: Person) -> str:
        """Return the id of the server that somebody moderates.

        Raises:
            NotAllowed: they do not.
            RequestRejected: there is no server here.
        """
        if not person.guild_id:
            raise RequestRejected(_("There is no server here: say it in a channel of the server."))
        if not await self.is_moderator(person):
            raise NotAllowed(
                _("Only moderators may do that: people with Manage Server, or with a role that `/setup start` names.")
            )
        return person.guild_id
