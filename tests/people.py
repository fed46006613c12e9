"""People for the tests of services: who they are and where."""

from generation.person import Person


def person(name: str = "ann", guild: str | None = None) -> Person:
    """Somebody who acts at the door of the tests."""
    return Person(user_key=f"test:{name}", guild_id=guild)
