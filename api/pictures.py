"""Pictures of the gallery as the API shows them: rows in, schemas out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from api.context import Web
from api.schemas.gallery import CollectionOut, PictureOut
from api.schemas.jobs import ImageOut
from api.views import ALT_PROMPT_CHARS, THUMBNAIL_PX
from generation.errors import RequestRejected
from generation.person import Person
from generation.prompt_syntax import format_prompt
from generation.request import FROM_PICTURE_ALONE, Draft
from services.library.gallery import Collection, Picture
from services.pictures.media import file_name
from texts.text import _, joined
from utils.images import EXTENSIONS
from utils.infotext import format_infotext


async def pictures_out(web: Web, caller: Person, pictures: Iterable[Picture]) -> list[PictureOut]:
    """Write pictures for one reader. A picture's id is that of its file, as everywhere in the API."""
    pictures = list(pictures)
    places = await web.services.records.gallery.places(caller, [picture.id for picture in pictures])
    return [_picture(web, caller, picture, places.get(picture.id, [])) for picture in pictures]


async def collection_out(web: Web, caller: Person, collection: Collection) -> CollectionOut:
    """Write a collection with the picture that was added last."""
    cover = None
    if collection.cover_media_id:
        try:
            found = await web.services.records.gallery.picture(caller, collection.cover_media_id)
            cover = _image(web, found)
        except RequestRejected:  # made private since it was put there
            cover = None
    return CollectionOut(
        id=collection.id,
        name=collection.name,
        description=collection.description,
        count=collection.pictures,
        cover=cover,
        created_at=collection.created_at,
    )


def picture_name(picture: Picture, extension: str = "") -> str:
    """A file's name that says what is in it."""
    extension = extension or EXTENSIONS.get(picture.media_type, "png")
    return file_name(picture.prompt, picture.seed, picture.created_at, extension)


def _picture(web: Web, caller: Person, picture: Picture, collections: list[str]) -> PictureOut:
    draft = _draft(picture)
    return PictureOut(
        **_image(web, picture).model_dump(),
        job_id=picture.job_id,
        prompt=picture.prompt,
        negative_prompt=picture.negative_prompt,
        mode=picture.mode,
        model=picture.model,
        engine=picture.engine,
        steps=picture.steps,
        cfg_scale=picture.cfg_scale,
        sampler=picture.sampler,
        seconds=picture.seconds,
        cost_usd=picture.cost_usd,
        created_at=picture.created_at,
        expires_at=_expiry(picture),
        user_name=picture.user_name,
        is_mine=picture.user_key == caller.user_key,
        is_private=picture.is_private,
        collections=collections,
        parameters=_parameters(picture),
        command=format_prompt(draft),
    )


def _image(web: Web, picture: Picture) -> ImageOut:
    url = web.hub.views.media_url(picture.media_id, is_private=picture.is_private)
    made = joined(
        ", ",
        (
            part
            for part in (picture.model, f"{picture.width}×{picture.height}", _("seed {seed}", seed=picture.seed))
            if part
        ),
    )
    words = ": " + picture.prompt[:ALT_PROMPT_CHARS] if picture.prompt else ""
    return ImageOut(
        id=picture.media_id,
        url=url,
        thumbnail_url=f"{url}{'&' if '?' in url else '?'}size={THUMBNAIL_PX}",
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        media_type=picture.media_type,
        size_bytes=picture.size_bytes,
        alt=_(
            "Generated {rest}{words}; {made}",
            rest="video" if picture.media_type.startswith("video/") else "picture",
            words=words,
            made=made,
        ),
        file_name=picture_name(picture),
        is_favorite=picture.is_favorite,
        is_gone=not picture.is_there(web.services.clock.now()),
    )


def _expiry(picture: Picture) -> datetime | None:
    return None if picture.is_kept else picture.expires_at


def _draft(picture: Picture) -> Draft:
    """Return what the row knows of the request; the job knows all of it."""
    draft = Draft(
        prompt=picture.prompt,
        negative_prompt=picture.negative_prompt or None,
        width=picture.width,
        height=picture.height,
        seed=picture.seed,
        model=picture.model,
    )
    if picture.mode in FROM_PICTURE_ALONE:
        return draft
    return replace(draft, steps=picture.steps, cfg_scale=picture.cfg_scale, sampler=picture.sampler)


def _parameters(picture: Picture) -> str:
    is_upscale = picture.mode in FROM_PICTURE_ALONE
    return format_infotext(
        picture.prompt,
        picture.negative_prompt,
        {
            "Steps": None if is_upscale else picture.steps,
            "Sampler": picture.sampler,
            "Schedule type": picture.scheduler,
            "CFG scale": None if is_upscale else picture.cfg_scale,
            "Seed": picture.seed,
            "Size": f"{picture.width}x{picture.height}",
            "Model": picture.model,
            "Engine": picture.engine,
        },
    )
