"""The part of a gallery that a page shows: whose pictures, which words, model, collection and days.

It fits into the id of a button, so that a page turns after a restart.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from generation.errors import RequestRejected
from lazy import dataclass
from services.library.gallery import PictureFilter
from texts.text import _

SEPARATOR: Final = "|"
OLD_STAR: Final = "*"
NEW, NEW_STAR = "2", "2*"
DAY: Final = "%Y%m%d"
MINE: Final = ""
SERVER: Final = "s"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The part of a gallery that is shown. `whose` is empty for your own, `s` for this server's, or somebody's id."""

    search: str = ""
    favorites: bool = False
    model: str = ""
    collection: str = ""
    whose: str = MINE
    since: str = ""  # days, as 20261128
    until: str = ""

    @property
    def text(self) -> str:
        days = f"{self.since}-{self.until}" if self.since or self.until else ""
        star = NEW_STAR if self.favorites else NEW
        model = self.model.replace(SEPARATOR, "")
        return SEPARATOR.join((star, self.collection, model, self.whose, days, self.search))

    @classmethod
    def read(cls, text: str) -> "Shelf":
        """Read the text of a button; an earlier version knew neither whose nor days."""
        star, __, rest = text.partition(SEPARATOR)
        collection, model, rest = (*rest.split(SEPARATOR, 2), "", "", "")[:3]
        whose = days = ""
        if star in (NEW, NEW_STAR):
            whose, days, rest = (*rest.split(SEPARATOR, 2), "", "", "")[:3]
        since, __, until = days.partition("-")
        return cls(
            search=rest,
            favorites=star in (OLD_STAR, NEW_STAR),
            model=model,
            collection=collection,
            whose=whose if whose == SERVER or whose.isdecimal() else MINE,
            since=since,
            until=until,
        )

    @property
    def is_of_server(self) -> bool:
        return self.whose == SERVER

    @property
    def wanted(self) -> PictureFilter:
        wanted = PictureFilter(
            text=self.search,
            favorites=self.favorites,
            model=self.model,
            collection=self.collection,
            since=_start(self.since),
            until=_end(self.until),
        )
        if self.whose:
            user_key = "" if self.is_of_server else f"discord:{self.whose}"
            return replace(wanted, in_rooms=True, user_key=user_key or None)
        return wanted


def read_day(text: str, field: str) -> str:
    """Return a day as a shelf keeps it.

    Raises:
        RequestRejected: it is none.
    """
    if not text:
        return ""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).strftime(DAY)
    except ValueError as error:
        raise RequestRejected(
            _("“{text}” is no day.", text=text[:20]), field=field, hint=_("Write it like 2026-11-28.")
        ) from error


def _start(day: str) -> datetime | None:
    try:
        return datetime.strptime(day, DAY).replace(tzinfo=UTC) if day else None
    except ValueError:  # an id that somebody made up
        return None


def _end(day: str) -> datetime | None:
    start = _start(day)
    return start + timedelta(days=1) if start else None
