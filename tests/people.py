"""People for the tests: who they are and where."""

from generation.person import Person


def person(name: str = "ann", guild: str | None = None) -> Person:
    """Somebody who acts at the door of the tests."""
    return Person(user_key=f"test:{name}", guild_id=guild)


def visitor(user_key: str, *, is_admin: bool = False) -> Person:
    """Somebody at the HTTP door."""
    return Person(user_key=user_key, door="api", scopes=frozenset({"admin"} if is_admin else ()))
