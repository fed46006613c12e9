"""The gallery: what was drawn, favourites, collections. Rows are in `store.gallery`, files in the media store.

Who sees what: your own pictures always; others' when they are not private and came by the API, or to an admin.
Favourites and collections keep a file beyond its time. Which files those are is decided by the rows alone; the media
store follows, under one lock, and catches up at start with what a crash left between the two files.

    history(person, wanted=PictureFilter(), *, everybody=False, limit=50, cursor="") -> Page
    picture(person, image_id) -> Picture                     delete(person, image_id) -> Picture
    star(person, image_id) -> Picture                        unstar(person, image_id) -> Picture
    count(person, wanted, *, everybody=False) -> Total        facets(person, *, everybody=False) -> Facets
    collections(person) -> list[Collection]                  collection(person, collection_id) -> Collection
    create_collection(person, name, description="") -> Collection
    change_collection(person, collection_id, *, name=None, description=None) -> Collection
    delete_collection(person, collection_id) -> None
    add_pictures(person, collection_id, image_ids) -> Collection
    remove_pictures(person, collection_id, image_ids) -> Collection

`image_id` is a picture's `id` or its `media_id`. All may raise RequestRejected, NotAllowed or LimitReached.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from generation.errors import LimitReached, NotAllowed, RequestRejected
from generation.job import Job
from generation.person import Person
from generation.policy import may_remove
from lazy import dataclass
from services.pictures.media import MediaService
from store.gallery import Collection as Collection
from store.gallery import Facets as Facets
from store.gallery import GalleryStore, Total
from store.gallery import Picture as Picture
from store.gallery_filters import PictureFilter as PictureFilter
from texts.text import _
from utils.clock import Clock
from utils.text import cut

log = logging.getLogger(__name__)

MAX_PAGE: Final = 200
MAX_FAVORITES: Final = 1000  # of one person: they are kept on the disk until they are let go
MAX_COLLECTIONS: Final = 100
MAX_COLLECTION_PICTURES: Final = 1000
MAX_NAME_CHARS: Final = 80
MAX_DESCRIPTION_CHARS: Final = 500
MAX_SEARCH_CHARS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some pictures, newest first; `next_cursor` asks for the ones after them, None = there are no more."""

    pictures: tuple[Picture, ...]
    next_cursor: str | None = None


class GalleryService:
    """Call `start` once before the doors open."""

    def __init__(self, *, store: GalleryStore, media: MediaService, clock: Clock) -> None:
        self._store = store
        self._media = media
        self._clock = clock
        self.on_emptied: list[Callable[[str], Awaitable[None]]] = []  # told of a job whose last picture was deleted
        self._keeping = asyncio.Lock()  # what is kept changes in two files: one change at a time

    async def start(self) -> None:
        """Let the media store keep exactly what the rows say: at start, and when people's favourites went at once."""
        async with self._keeping:
            try:
                for media_id in await self._store.kept() ^ await self._media.pinned():
                    await self._follow(media_id)
            except Exception:  # pictures are drawn nevertheless; the next start looks again
                log.exception("favourites could not be looked through", extra={"action": "cache_failed"})

    async def history(
        self,
        person: Person,
        wanted: PictureFilter | None = None,
        *,
        everybody: bool = False,
        limit: int = 50,
        cursor: str = "",
    ) -> Page:
        """Return the person's pictures, or with `everybody` all that are visible to them.

        Args:
            person: who looks.
            wanted: what the history is narrowed to.
            everybody: also what others drew. It follows from `wanted.user_key`, too.
            limit: pictures of a page, 1 to 200.
            cursor: `next_cursor` of the page before. New pictures do not shift the pages that follow.

        Raises:
            RequestRejected: the limit, the cursor, the text or the collection cannot be.
        """
        wanted = wanted or PictureFilter()
        if not 1 <= limit <= MAX_PAGE:
            raise RequestRejected(
                _("A page has 1 to {most} pictures, not {limit}.", most=MAX_PAGE, limit=limit), field="limit"
            )
        if len(wanted.text) > MAX_SEARCH_CHARS:
            raise RequestRejected(_("Search for at most {most} characters.", most=MAX_SEARCH_CHARS), field="text")
        if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise RequestRejected(_("Invalid cursor: use `next` from the previous page."), field="cursor")
        wanted = await self._narrowed(person, wanted, everybody=everybody)
        before = int(cursor) if cursor else None
        found = await self._store.history(person, wanted=wanted, limit=limit + 1, before=before)
        page = tuple(found[:limit])
        return Page(pictures=page, next_cursor=str(page[-1].seq) if len(found) > limit else None)

    async def count(self, person: Person, wanted: PictureFilter, *, everybody: bool = False) -> Total:
        """Count the pictures of all pages of `history`."""
        wanted = await self._narrowed(person, wanted, everybody=everybody)
        return await self._store.count(person, wanted=wanted)

    async def facets(self, person: Person, *, everybody: bool = False) -> Facets:
        """Return the models and engines of `history`, with how many pictures each has."""
        return await self._store.facets(person, user_key=None if everybody else person.user_key)

    async def starred(self, person: Person, media_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these files are the person's favourites."""
        return await self._store.starred(person.user_key, media_ids)

    async def kept_among(self, media_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these files somebody keeps, so that they do not expire."""
        return await self._store.kept_among(media_ids)

    async def lost_among(self, media_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these files are gone: deleted, or expired."""
        return await self._store.lost_among(media_ids, self._clock.now())

    async def places(self, person: Person, image_ids: Iterable[str]) -> dict[str, list[str]]:
        """Return in which of the person's collections these pictures are, by their ids."""
        return await self._store.places(person.user_key, image_ids)

    async def was_there(self, media_id: str) -> tuple[str, bool] | None:
        """Return whose picture a file is or was, and whether it is private; None when nobody ever had it."""
        return await self._store.was_there(media_id)

    async def picture(self, person: Person, image_id: str) -> Picture:
        """Return one picture.

        Raises:
            RequestRejected: there is none, or none that this person may see.
        """
        picture = await self._store.picture(image_id, person)
        if picture is None:
            raise RequestRejected(
                _("There is no picture {image_id}. It may have been deleted.", image_id=cut(image_id, 30)),
                field="picture",
            )
        return picture

    async def delete(self, person: Person, image_id: str) -> Picture:
        """Delete your own picture (admins: any they see) from the history, its file at once.

        An answer from the cache only leaves the history: its file belongs to the job that drew it.

        Raises:
            NotAllowed: it is somebody else's.
            GenerationError: the media store does not answer, so nothing was deleted.
        """
        picture = await self.picture(person, image_id)
        if not may_remove(person, picture.user_key):
            raise NotAllowed(_("Only the person who asked for this picture and admins may delete it."))
        async with self._changing([picture.media_id]):
            if not picture.from_cache:
                await self._lose([picture.media_id])
            await self._store.delete(picture.id, self._clock.now())
        if not await self._store.has_pictures(picture.job_id):
            for tell in self.on_emptied:
                await tell(picture.job_id)
        return picture

    async def lose_files(self, media_ids: Sequence[str]) -> None:
        """Delete files at once, whoever else keeps them or has them in the history.

        Raises:
            GenerationError: the media store does not answer, so nothing was deleted.
        """
        async with self._changing(media_ids):
            await self._lose(media_ids)

    async def forget_job(self, job: Job) -> None:
        """Take the pictures of a job out of the history; its files were deleted (or belong to another job)."""
        media_ids = [image.media_id for image in job.result.images] if job.result else []
        async with self._changing(media_ids):
            await self._store.delete_job(job.id, self._clock.now())
            if job.result and not job.result.from_cache:
                await self._store.lose(media_ids, self._clock.now())

    async def star(self, person: Person, image_id: str) -> Picture:
        """Make a picture one's favourite and keep its file; a second time changes nothing.

        Raises:
            RequestRejected: its file has expired.
            LimitReached: this person keeps as many as one may.
        """
        picture = await self.picture(person, image_id)
        async with self._changing([picture.media_id]):
            if not picture.is_favorite and await self._store.count_stars(person.user_key) >= MAX_FAVORITES:
                raise LimitReached(
                    _(
                        "You have {most} favourites, the maximum. Let one go first.",
                        most=MAX_FAVORITES,
                    )
                )
            await self._pin(picture)
            await self._store.star(person.user_key, picture.id, self._clock.now())
        return await self.picture(person, picture.id)

    async def unstar(self, person: Person, image_id: str) -> Picture:
        """Let a favourite go; if nothing else keeps its file, its usual time begins now."""
        picture = await self.picture(person, image_id)
        async with self._changing([picture.media_id]):
            await self._store.unstar(person.user_key, picture.id)
        return await self.picture(person, picture.id)

    async def collections(self, person: Person) -> list[Collection]:
        """Return the person's own collections by name."""
        return await self._store.collections(person.user_key)

    async def collection(self, person: Person, collection_id: str) -> Collection:
        """Return your own collection; its pictures are `history` with `PictureFilter(collection=...)`."""
        found = await self._store.collection(person.user_key, collection_id)
        if found is None:
            raise RequestRejected(
                _("You have no collection {collection_id}.", collection_id=cut(collection_id, 30)), field="collection"
            )
        return found

    async def create_collection(self, person: Person, name: str, description: str = "") -> Collection:
        name, description = checked_name(name), checked_description(description)
        if len(await self._store.collections(person.user_key)) >= MAX_COLLECTIONS:
            raise LimitReached(
                _(
                    "You have {most} collections, the maximum. Delete one first.",
                    most=MAX_COLLECTIONS,
                )
            )
        collection_id = secrets.token_hex(8)
        is_new = await self._store.add_collection(
            person.user_key, collection_id, name=name, description=description, now=self._clock.now()
        )
        if not is_new:
            raise RequestRejected(
                _("You have a collection “{name}” already. Choose another name.", name=name), field="name"
            )
        return await self.collection(person, collection_id)

    async def change_collection(
        self, person: Person, collection_id: str, *, name: str | None = None, description: str | None = None
    ) -> Collection:
        await self.collection(person, collection_id)
        name = None if name is None else checked_name(name)
        description = None if description is None else checked_description(description)
        is_changed = await self._store.change_collection(
            person.user_key, collection_id, name=name, description=description, now=self._clock.now()
        )
        if not is_changed:
            raise RequestRejected(
                _("You have a collection “{name}” already. Choose another name.", name=name), field="name"
            )
        return await self.collection(person, collection_id)

    async def delete_collection(self, person: Person, collection_id: str) -> None:
        """Delete a collection; its pictures stay in the history, and expire unless they are kept otherwise."""
        await self.collection(person, collection_id)
        async with self._changing(await self._store.media_of_collection(collection_id)):
            await self._store.delete_collection(person.user_key, collection_id)

    async def add_pictures(self, person: Person, collection_id: str, image_ids: Sequence[str]) -> Collection:
        """Put pictures into a collection and keep their files; what is in it already stays.

        Raises:
            RequestRejected: one of them is not there or has expired; those before it are in.
        """
        collection = await self.collection(person, collection_id)
        pictures = await self._pictures(person, image_ids)
        if collection.pictures + len(pictures) > MAX_COLLECTION_PICTURES:
            raise LimitReached(
                _(
                    "A collection holds {most} pictures at most. Make another one.",
                    most=MAX_COLLECTION_PICTURES,
                )
            )
        async with self._changing([picture.media_id for picture in pictures]):
            for picture in pictures:
                await self._pin(picture)
                await self._store.add_to_collection(collection.id, picture.id, self._clock.now())
        return await self.collection(person, collection_id)

    async def remove_pictures(self, person: Person, collection_id: str, image_ids: Sequence[str]) -> Collection:
        """Take pictures out of a collection; what is not in it is passed over."""
        collection = await self.collection(person, collection_id)
        pictures = await self._pictures(person, image_ids)
        async with self._changing([picture.media_id for picture in pictures]):
            for picture in pictures:
                await self._store.take_from_collection(collection.id, picture.id)
        return await self.collection(person, collection_id)

    async def _narrowed(self, person: Person, wanted: PictureFilter, *, everybody: bool) -> PictureFilter:
        if wanted.collection:
            await self.collection(person, wanted.collection)
        if everybody or wanted.user_key or wanted.favorites or wanted.collection or wanted.in_rooms:
            return wanted
        return replace(wanted, user_key=person.user_key)

    async def _pictures(self, person: Person, image_ids: Iterable[str]) -> list[Picture]:
        return [await self.picture(person, image_id) for image_id in dict.fromkeys(image_ids)]

    async def _lose(self, media_ids: Sequence[str]) -> None:
        await self._media.forget(media_ids)
        await self._store.lose(media_ids, self._clock.now())

    async def _pin(self, picture: Picture) -> None:
        """Pin before the row says so: a crash in between leaves a pin too many, which `start` takes back."""
        if not await self._media.pin(picture.media_id):
            raise RequestRejected(_("This picture has expired, so it cannot be kept. Run it again."), field="picture")

    @asynccontextmanager
    async def _changing(self, media_ids: Sequence[str]) -> AsyncIterator[None]:
        """Change alone what is kept of these files; the media store follows, also after a failure half way."""
        async with self._keeping:
            try:
                yield
            finally:
                for media_id in media_ids:
                    await self._follow(media_id)

    async def _follow(self, media_id: str) -> None:
        """Bring the media store in line with the rows."""
        if await self._store.is_kept(media_id):
            await self._media.pin(media_id)
        elif expires_at := await self._media.unpin(media_id):
            await self._store.set_expiry(media_id, expires_at)


def checked_name(name: str) -> str:
    """Return a name without spaces around it.

    Raises:
        RequestRejected: it is empty or too long.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise RequestRejected(
            _(
                "A name has 1 to {most} characters, this one {count}.",
                most=MAX_NAME_CHARS,
                count=len(name),
            ),
            field="name",
        )
    return name


def checked_description(text: str) -> str:
    """Return a description without spaces around it.

    Raises:
        RequestRejected: it is too long.
    """
    text = text.strip()
    if len(text) > MAX_DESCRIPTION_CHARS:
        limit = _(
            "at most {most} characters, this one {count}",
            most=MAX_DESCRIPTION_CHARS,
            count=len(text),
        )
        raise RequestRejected(_("A description has {limit}.", limit=limit), field="description")
    return text
