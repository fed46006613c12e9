"""The pictures that were made (table `generated_images`), people's favourites and collections of them.

Rows come from the triggers in `store/migrations/007_gallery.sql`; here they are read, kept and taken out. Every
reading takes the person who looks: SQL itself leaves out what is not for these eyes.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from generation.person import Person
from generation.policy import IN_ROOMS, LISTED, listing
from lazy import dataclass
from store.database import Database, Row
from store.gallery_filters import PictureFilter, conditions
from store.job_rows import from_epoch, to_epoch
from store.rows import RowReader, seed_from_column

MOST_FACETS: Final = 200
MOST_COUNTED: Final = 1_000
KEPT_PICTURE: Final = """EXISTS (SELECT 1 FROM generated_images AS twin WHERE twin.media_id = g.media_id AND (
    EXISTS (SELECT 1 FROM image_favorites AS f WHERE f.image_id = twin.id)
    OR EXISTS (SELECT 1 FROM collection_images AS c WHERE c.image_id = twin.id)))"""
_COLUMNS: Final = {"is_private": "g.is_private", "door": "g.door"}
_VISIBLE: Final = LISTED.format(owner="g.user_key", **_COLUMNS)
_CHANNEL: Final = "(SELECT made.channel_id FROM jobs AS made WHERE made.id = g.job_id)"
_VISIBLE_IN_ROOMS: Final = f"({_VISIBLE} OR {IN_ROOMS.format(channel=_CHANNEL, **_COLUMNS)})"
_MINE: Final = "EXISTS (SELECT 1 FROM image_favorites AS f WHERE f.image_id = g.id AND f.user_key = :person)"
_SELECT: Final = f"""
    SELECT g.*, {KEPT_PICTURE} AS is_kept, {_MINE} AS is_favorite,
        (SELECT count(*) FROM image_favorites AS f WHERE f.image_id = g.id) AS favorites
    FROM generated_images AS g WHERE g.deleted_at IS NULL AND {_VISIBLE}
"""  # noqa: S608  # parts of our own
_COUNTED: Final = f"FROM picture_counts AS g WHERE {_VISIBLE}"
_SEEN: Final = f"FROM generated_images AS g WHERE g.deleted_at IS NULL AND {_VISIBLE}"
STARRED: Final = """
    SELECT DISTINCT g.media_id FROM image_favorites AS f JOIN generated_images AS g ON g.id = f.image_id
    WHERE f.user_key = ? AND g.media_id IN (SELECT value FROM json_each(?))
"""
AMONG_KEPT: Final = """
    SELECT DISTINCT media_id FROM generated_images WHERE media_id IN (SELECT value FROM json_each(?)) AND (
        id IN (SELECT image_id FROM image_favorites) OR id IN (SELECT image_id FROM collection_images))
"""
AMONG_LOST: Final = """
    SELECT DISTINCT media_id FROM generated_images
    WHERE media_id IN (SELECT value FROM json_each(?)) AND expires_at <= ?
"""
PLACES: Final = """
    SELECT i.image_id, i.collection_id FROM collection_images AS i JOIN image_collections AS c ON c.id = i.collection_id
    WHERE c.user_key = ? AND i.image_id IN (SELECT value FROM json_each(?))
"""
WAS_THERE: Final = """
    SELECT user_key, is_private FROM generated_images WHERE media_id = ? AND deleted_at IS NULL ORDER BY seq LIMIT 1
"""
DELETE: Final = """
    UPDATE generated_images SET deleted_at = :now WHERE id = :id AND deleted_at IS NULL RETURNING media_id
"""
DELETE_JOB: Final = """
    UPDATE generated_images SET deleted_at = :now WHERE job_id = :job_id AND deleted_at IS NULL RETURNING media_id
"""
HAS_PICTURES: Final = "SELECT 1 FROM generated_images WHERE job_id = ? AND deleted_at IS NULL LIMIT 1"
_LOST: Final = "(SELECT id FROM generated_images WHERE media_id IN (SELECT value FROM json_each(:media_ids)))"
LOSE_STARS: Final = f"DELETE FROM image_favorites WHERE image_id IN {_LOST}"  # noqa: S608
LOSE_PLACES: Final = f"DELETE FROM collection_images WHERE image_id IN {_LOST}"  # noqa: S608
LOSE_TIME: Final = f"UPDATE generated_images SET expires_at = min(expires_at, :now) WHERE id IN {_LOST}"  # noqa: S608
SET_EXPIRY: Final = "UPDATE generated_images SET expires_at = :expires_at WHERE media_id = :media_id"
IS_KEPT: Final = f"SELECT {KEPT_PICTURE} AS is_kept FROM generated_images AS g WHERE g.media_id = ? LIMIT 1"  # noqa: S608
KEPT: Final = """
    SELECT DISTINCT media_id FROM generated_images WHERE id IN (
        SELECT image_id FROM image_favorites UNION SELECT image_id FROM collection_images)
"""
STAR: Final = """
    INSERT INTO image_favorites (user_key, image_id, created_at)
    SELECT :user_key, id, :now FROM generated_images WHERE id = :image_id AND deleted_at IS NULL
    ON CONFLICT DO NOTHING RETURNING image_id
"""
UNSTAR: Final = "DELETE FROM image_favorites WHERE user_key = ? AND image_id = ? RETURNING image_id"
COUNT_STARS: Final = "SELECT count(*) AS number FROM image_favorites WHERE user_key = ?"
_COLLECTION: Final = """
    SELECT c.*, (SELECT count(*) FROM collection_images AS i WHERE i.collection_id = c.id) AS pictures, (
        SELECT g.media_id FROM collection_images AS i JOIN generated_images AS g ON g.id = i.image_id
        WHERE i.collection_id = c.id ORDER BY i.added_at DESC, g.seq DESC LIMIT 1) AS cover_media_id
    FROM image_collections AS c WHERE c.user_key = :user_key
"""
COLLECTIONS: Final = _COLLECTION + " ORDER BY c.name COLLATE NOCASE, c.id"
COLLECTION: Final = _COLLECTION + " AND c.id = :id"
ADD_COLLECTION: Final = """
    INSERT INTO image_collections (id, user_key, name, description, created_at, updated_at)
    VALUES (:id, :user_key, :name, :description, :now, :now) ON CONFLICT DO NOTHING RETURNING id
"""
CHANGE_COLLECTION: Final = """
    UPDATE OR IGNORE image_collections SET name = coalesce(:name, name),
        description = coalesce(:description, description), updated_at = :now
    WHERE id = :id AND user_key = :user_key RETURNING id
"""
DELETE_COLLECTION: Final = "DELETE FROM image_collections WHERE id = ? AND user_key = ? RETURNING id"
MEDIA_OF_COLLECTION: Final = """
    SELECT DISTINCT g.media_id FROM collection_images AS i JOIN generated_images AS g ON g.id = i.image_id
    WHERE i.collection_id = ?
"""
ADD_TO_COLLECTION: Final = """
    INSERT INTO collection_images (collection_id, image_id, added_at)
    SELECT c.id, g.id, :now FROM image_collections AS c, generated_images AS g
    WHERE c.id = :collection_id AND g.id = :image_id AND g.deleted_at IS NULL
    ON CONFLICT DO NOTHING RETURNING image_id
"""
TAKE_FROM_COLLECTION: Final = """
    DELETE FROM collection_images WHERE collection_id = ? AND image_id = ? RETURNING image_id
"""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of the history; it outlives its file. `media_id` is the file's address while it is there.

    `is_kept`: somebody's favourite or in a collection, so it does not expire. `is_favorite`: the viewer's own.
    """

    seq: int
    id: str
    media_id: str
    job_id: str
    user_key: str
    user_name: str
    door: str
    prompt: str
    negative_prompt: str
    mode: str
    model: str | None
    engine: str
    lane: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    sampler: str | None
    scheduler: str | None
    media_type: str
    size_bytes: int
    seconds: float  # of the whole job
    cost_usd: float  # this picture's share
    is_private: bool
    from_cache: bool
    created_at: datetime
    expires_at: datetime
    is_kept: bool
    is_favorite: bool
    favorites: int

    def is_there(self, now: datetime) -> bool:
        """Return whether the file should still be there."""
        return self.is_kept or self.expires_at > now


class Total(NamedTuple):
    """The number of pictures a filter leaves; `or_more`: counting stopped there."""

    number: int
    or_more: bool = False


@dataclass(frozen=True, kw_only=True)
class Facets:
    """Values to narrow a history by: names and how many pictures each has, the most first."""

    models: tuple[tuple[str, int], ...]
    engines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Collection:
    """An album of one person. `cover_media_id` is the picture that was added last."""

    id: str
    user_key: str
    name: str
    description: str
    pictures: int
    cover_media_id: str | None
    created_at: datetime
    updated_at: datetime


class GalleryStore:
    """Single statements, each one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("generated_images")

    async def history(
        self, person: Person, *, wanted: PictureFilter, limit: int, before: int | None = None
    ) -> list[Picture]:
        """Return visible pictures, newest first unless said otherwise; the last page ended at the `seq` `before`."""
        where, params = conditions(wanted)
        if before is not None:
            where += f" AND g.seq {'>' if wanted.oldest_first else '<'} :before"
        sql = f"{_for(person, _SELECT)}{where} ORDER BY g.seq {'ASC' if wanted.oldest_first else 'DESC'} LIMIT :limit"
        viewing = listing(person) | {"limit": limit, "before": before}
        return self._rows.read(await self._database.read(sql, params | viewing), _picture)

    async def count(self, person: Person, *, wanted: PictureFilter) -> Total:
        """Count what `history` would return on all its pages; to `MOST_COUNTED` where counting would take long."""
        where, params = conditions(wanted)
        is_counted = wanted.is_counted and not person.rooms
        if is_counted:
            sql = f"SELECT coalesce(sum(g.number), 0) AS number {_COUNTED}{where}"
        elif wanted.is_of_few:
            sql = f"SELECT count(*) AS number {_for(person, _SEEN)}{where}"
        else:
            sql = f"SELECT count(*) AS number FROM (SELECT 1 {_for(person, _SEEN)}{where} LIMIT {MOST_COUNTED})"  # noqa: S608
        number = int((await self._database.read(sql, params | listing(person)))[0]["number"])
        is_known = is_counted or wanted.is_of_few
        return Total(number, or_more=not is_known and number == MOST_COUNTED)

    async def facets(self, person: Person, *, user_key: str | None = None) -> Facets:
        """Return the models and engines of the visible pictures, of one person or of all."""
        where, params = conditions(PictureFilter(user_key=user_key))
        viewing = listing(person)
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for column in ("model", "engine"):
            sql = (
                f"SELECT g.{column} AS name, sum(g.number) AS number {_COUNTED}{where} AND g.{column} > '' "
                f"GROUP BY g.{column} ORDER BY number DESC, name LIMIT {MOST_FACETS}"
            )
            rows = await self._database.read(sql, params | viewing)
            found[column] = tuple((row["name"], row["number"]) for row in rows)
        return Facets(models=found["model"], engines=found["engine"])

    async def starred(self, user_key: str, media_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these files are this person's favourites."""
        rows = await self._database.fetch(STARRED, (user_key, json.dumps(list(media_ids))))
        return frozenset(row["media_id"] for row in rows)

    async def kept_among(self, media_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these files anybody's favourites or collections hold."""
        rows = await self._database.fetch(AMONG_KEPT, (json.dumps(list(media_ids)),))
        return frozenset(row["media_id"] for row in rows)

    async def lost_among(self, media_ids: Iterable[str], now: datetime) -> frozenset[str]:
        """Return which of these files are gone: deleted, or expired."""
        rows = await self._database.fetch(AMONG_LOST, (json.dumps(list(media_ids)), to_epoch(now)))
        return frozenset(row["media_id"] for row in rows)

    async def places(self, user_key: str, image_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return in which of this person's collections each of these pictures is."""
        places: dict[str, list[str]] = {}
        for row in await self._database.fetch(PLACES, (user_key, json.dumps(list(image_ids)))):
            places.setdefault(row["image_id"], []).append(row["collection_id"])
        return places

    async def was_there(self, media_id: str) -> tuple[str, bool] | None:
        """Return whose picture a file is or was, and whether it is private; None when nobody ever had it."""
        rows = await self._database.fetch(WAS_THERE, (media_id,))
        return (rows[0]["user_key"], bool(rows[0]["is_private"])) if rows else None

    async def picture(self, image_id: str, person: Person) -> Picture | None:
        """Return a picture by its id or its media id, if it is visible; of several answers the viewer's own first."""
        sql = (
            _for(person, _SELECT)
            + " AND (g.id = :id OR g.media_id = :id) ORDER BY g.user_key <> :person, g.from_cache, g.seq DESC LIMIT 1"
        )
        values = listing(person) | {"id": image_id}
        return next(iter(self._rows.read(await self._database.fetch(sql, values), _picture)), None)

    async def delete(self, image_id: str, now: datetime) -> bool:
        """Take a picture out of the history; favourites and collections lose it in the same statement."""
        return bool(await self._database.write(DELETE, {"id": image_id, "now": to_epoch(now)}))

    async def delete_job(self, job_id: str, now: datetime) -> list[str]:
        """Take all pictures of a job out of the history and return their media ids."""
        rows = await self._database.write(DELETE_JOB, {"job_id": job_id, "now": to_epoch(now)})
        return [row["media_id"] for row in rows]

    async def has_pictures(self, job_id: str) -> bool:
        """Return whether a job still has pictures in the history."""
        return bool(await self._database.fetch(HAS_PICTURES, (job_id,)))

    async def lose(self, media_ids: Iterable[str], now: datetime) -> None:
        """Note that files are gone: nobody keeps them any more, whoever else has them in the history."""
        values = {"media_ids": json.dumps(list(media_ids)), "now": to_epoch(now)}
        for statement in (LOSE_STARS, LOSE_PLACES, LOSE_TIME):
            await self._database.write(statement, values)

    async def set_expiry(self, media_id: str, expires_at: datetime) -> None:
        """Note when a file ends that is kept no longer."""
        await self._database.write(SET_EXPIRY, {"media_id": media_id, "expires_at": to_epoch(expires_at)})

    async def is_kept(self, media_id: str) -> bool:
        """Return whether anybody's favourites or collections hold this file."""
        rows = await self._database.fetch(IS_KEPT, (media_id,))
        return bool(rows and rows[0]["is_kept"])

    async def kept(self) -> set[str]:
        """Return the media ids of all files that favourites and collections hold."""
        return {row["media_id"] for row in await self._database.fetch(KEPT)}

    async def star(self, user_key: str, image_id: str, now: datetime) -> bool:
        """Make it a favourite; False when it was one already."""
        values = {"user_key": user_key, "image_id": image_id, "now": to_epoch(now)}
        return bool(await self._database.write(STAR, values))

    async def unstar(self, user_key: str, image_id: str) -> bool:
        return bool(await self._database.write(UNSTAR, (user_key, image_id)))

    async def count_stars(self, user_key: str) -> int:
        return int((await self._database.fetch(COUNT_STARS, (user_key,)))[0]["number"])

    async def collections(self, user_key: str) -> list[Collection]:
        return _collections(await self._database.fetch(COLLECTIONS, {"user_key": user_key}))

    async def collection(self, user_key: str, collection_id: str) -> Collection | None:
        rows = await self._database.fetch(COLLECTION, {"user_key": user_key, "id": collection_id})
        return next(iter(_collections(rows)), None)

    async def add_collection(
        self, user_key: str, collection_id: str, *, name: str, description: str, now: datetime
    ) -> bool:
        """Make a collection; False when this person has one of that name."""
        values = {"id": collection_id, "user_key": user_key, "name": name, "description": description}
        return bool(await self._database.write(ADD_COLLECTION, values | {"now": to_epoch(now)}))

    async def change_collection(
        self, user_key: str, collection_id: str, *, name: str | None, description: str | None, now: datetime
    ) -> bool:
        """Change what is not None; False when there is none, or another has that name."""
        values = {"id": collection_id, "user_key": user_key, "name": name, "description": description}
        return bool(await self._database.write(CHANGE_COLLECTION, values | {"now": to_epoch(now)}))

    async def delete_collection(self, user_key: str, collection_id: str) -> bool:
        """Delete a collection, not its pictures."""
        return bool(await self._database.write(DELETE_COLLECTION, (collection_id, user_key)))

    async def media_of_collection(self, collection_id: str) -> list[str]:
        return [row["media_id"] for row in await self._database.fetch(MEDIA_OF_COLLECTION, (collection_id,))]

    async def add_to_collection(self, collection_id: str, image_id: str, now: datetime) -> bool:
        """Put a picture into a collection; False when it was there."""
        values = {"collection_id": collection_id, "image_id": image_id, "now": to_epoch(now)}
        return bool(await self._database.write(ADD_TO_COLLECTION, values))

    async def take_from_collection(self, collection_id: str, image_id: str) -> bool:
        return bool(await self._database.write(TAKE_FROM_COLLECTION, (collection_id, image_id)))


def _for(person: Person, sql: str) -> str:
    """Return a statement that shows a person what is made in their rooms, too, if they have any."""
    return sql.replace(_VISIBLE, _VISIBLE_IN_ROOMS) if person.rooms else sql


def _picture(row: Row) -> Picture:
    values = _values(Picture, row)
    return Picture(**values | {"seed": seed_from_column(values["seed"])})


def _collections(rows: Iterable[Row]) -> list[Collection]:
    return [Collection(**_values(Collection, row)) for row in rows]


def _values(kind: type[Any], row: Row) -> dict[str, Any]:
    """Read the columns that a dataclass has; its types say which are times and which are yes or no."""
    values = {field.name: row[field.name] for field in fields(kind)}
    for field in fields(kind):
        if field.type is datetime:
            values[field.name] = from_epoch(values[field.name])
        elif field.type is bool:
            values[field.name] = bool(values[field.name])
    return values
