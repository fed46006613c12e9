"""The rule of `services.people.policy` as SQL, for what the HTTP door lists: values `:viewer` and `:is_admin`."""


def visible(*, owner: str, is_private: str, door: str) -> str:
    """Return the condition that somebody may see a row, given the columns that hold its facts."""
    return f"({owner} = :viewer OR ({is_private} = 0 AND ({door} = 'api' OR :is_admin)))"
