"""Small words for people: time spans, short forms."""

from texts.text import _, render


def duration(seconds: float) -> str:
    """Return a time span as people do: "5 s", "2 min", "1 h 10 min"."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return _("{minutes} min", minutes=minutes)
    return (
        _("{minutes} h {rest} min", minutes=minutes // 60, rest=minutes % 60) if minutes % 60 else f"{minutes // 60} h"
    )


def ordinal(number: int) -> str:
    """Return a place in line: "1st", "2nd", "3rd", "11th"."""
    if 10 <= number % 100 <= 20:
        return _("{number}th", number=number)
    if number % 10 == 1:
        return _("{number}st", number=number)
    if number % 10 == 2:
        return _("{number}nd", number=number)
    return _("{number}rd", number=number) if number % 10 == 3 else _("{number}th", number=number)


def place_in(line: str, number: int | None) -> str:
    """Return a place in some line: "next in the engine’s own queue", "2nd in ..."; without a number "in ..."."""
    if not number or number < 1:
        return _("in {line}", line=line)
    return (
        _("next in {line}", line=line) if number == 1 else _("{ordinal} in {line}", ordinal=ordinal(number), line=line)
    )


def cut(text: str, limit: int) -> str:
    """Shorten to at most `limit` characters, an ellipsis at the end when something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain_words(text: str) -> str:
    """Take out the marks that only Discord shows as code."""
    return render(text).replace("`", "")
