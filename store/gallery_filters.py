"""Filters of the history: what they narrow it to, as SQL over `generated_images AS g`."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from lazy import dataclass
from store.job_rows import to_epoch

TEXT_DEPTH: Final = 100_000  # so many of the newest pictures are searched for words, of one person all
_NEWEST: Final = f" AND g.seq > (SELECT max(seq) FROM generated_images) - {TEXT_DEPTH}"  # noqa: S608
_AMONG_MINE: Final = "g.id IN (SELECT image_id FROM image_favorites WHERE user_key = :person)"
_IN_COLLECTION: Final = """g.id IN (
    SELECT c.image_id FROM collection_images AS c JOIN image_collections AS owned ON owned.id = c.collection_id
    WHERE c.collection_id = :collection AND owned.user_key = :person)"""
_IN_ROOMS: Final = """g.is_private = 0 AND EXISTS (SELECT 1 FROM jobs AS made WHERE made.id = g.job_id
    AND made.channel_id IN (SELECT value FROM json_each(:rooms)) AND NOT json_extract(made.origin, '$.spoiler'))"""
_CONDITIONS: Final = {
    "in_rooms": _IN_ROOMS,
    "user_key": "g.user_key = :user_key",
    "text": "(g.prompt LIKE :text ESCAPE '\\' OR g.negative_prompt LIKE :text ESCAPE '\\')",
    "model": "g.model = :model COLLATE NOCASE",
    "engine": "(g.lane = :engine COLLATE NOCASE OR g.engine = :engine COLLATE NOCASE)",
    "mode": "g.mode = :mode",
    "job_id": "g.job_id = :job_id",
    "favorites": _AMONG_MINE,
    "collection": _IN_COLLECTION,
    "since": "g.created_at >= :since",
    "until": "g.created_at < :until",
}


@dataclass(frozen=True, kw_only=True)
class PictureFilter:
    """Filters of the history; those that are not set do not narrow it. `text` is looked for in both prompts."""

    user_key: str | None = None
    text: str = ""
    model: str = ""
    engine: str = ""  # lane or name
    mode: str = ""
    job_id: str = ""
    favorites: bool = False  # the viewer's own
    collection: str = ""  # one of the viewer's own, by its id
    in_rooms: bool = False  # made in the open in the viewer's rooms, under no spoiler
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False

    @property
    def is_of_few(self) -> bool:
        """Return whether it leaves the pictures of one person, collection or job, which are found by an index."""
        return bool(self.user_key or self.favorites or self.collection or self.job_id)

    @property
    def is_counted(self) -> bool:
        """Return whether the table `picture_counts` knows how many pictures it leaves."""
        return replace(self, user_key=None, model="", oldest_first=False) == PictureFilter()


def conditions(wanted: PictureFilter) -> tuple[str, dict[str, object]]:
    """Return the conditions of a filter, each with AND before it, and their values."""
    values = {name: getattr(wanted, name) for name in _CONDITIONS}
    used = {name: value for name, value in values.items() if value not in (None, "", False)}
    if wanted.text:
        used["text"] = f"%{_escaped(wanted.text)}%"
    params = {name: to_epoch(value) if isinstance(value, datetime) else value for name, value in used.items()}
    where = "".join(f" AND {_CONDITIONS[name]}" for name in used)
    return where + (_NEWEST if (wanted.text or wanted.in_rooms) and not wanted.is_of_few else ""), params


def _escaped(text: str) -> str:
    """Write a text so that LIKE takes it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
