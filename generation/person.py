"""A person who asks, from where, with their rights: every door makes this value, every service takes it.

What a person may see and change follows from it by `generation.policy` alone.
"""

from typing import Literal

from lazy import dataclass

ADMIN = "admin"  # the scope that holds all others
How = Literal["", "local", "key", "session", "link"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at a door: ids and rights only, so that it outlives a Discord object or an HTTP request."""

    user_key: str  # "discord:123", "api:local": the same person at whatever door
    name: str = ""
    door: str = ""  # where they are now; empty: the one in `user_key`
    guild_id: str | None = None
    channel_id: str | None = None
    scopes: frozenset[str] = frozenset()  # of the HTTP door: read, generate, admin
    is_moderator: bool = False  # may manage other people's messages in `channel_id`
    is_manager: bool = False  # may manage the server `guild_id`
    roles: tuple[str, ...] = ()  # ids of the roles they have in `guild_id`
    rooms: frozenset[str] = frozenset()  # channels they read, where a list of what was made there is asked for
    how: How = ""  # how the HTTP door knows them
    job_id: str = ""  # a job of anybody's that this visitor's link opens

    def __post_init__(self) -> None:
        object.__setattr__(self, "door", self.door or self.user_key.partition(":")[0])

    @property
    def user_id(self) -> str:
        return self.user_key.partition(":")[2]

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.scopes

    @property
    def account(self) -> str:
        """The same as `user_key` for a person known in Discord, else empty."""
        return self.user_key if self.user_key.startswith("discord:") else ""

    def may(self, scope: str) -> bool:
        return scope in self.scopes or self.is_admin


NOBODY = Person(user_key="")  # for whom there is what there is for everybody
