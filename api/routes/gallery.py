"""The gallery: what was drawn, favourites, collections, many pictures as one file."""

from typing import Annotated, Final, Literal

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from api.archive import zipped
from api.caller import Maker, Reader
from api.context import web_of
from api.errors import Gone, errors, missing
from api.pictures import collection_out, pictures_out
from api.routing import Router
from api.schemas.gallery import (
    ArchiveIn,
    CollectionChangeIn,
    CollectionIn,
    CollectionOut,
    CollectionsOut,
    FacetOut,
    FacetsOut,
    PictureOut,
    PicturesOut,
)
from generation.errors import RequestRejected
from services.library.gallery import MAX_SEARCH_CHARS, PictureFilter
from texts.text import _

router = Router(prefix="/api", tags=["gallery"], responses=errors(401, 403, 422))

MOST_ARCHIVE_BYTES: Final = 512 * 1024**2
ARCHIVE: Final = {"content": {"application/zip": {}}, "description": _("A ZIP file.")}
PictureId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
CollectionId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
Scope = Literal["mine", "all"]


@router.get("/gallery", responses=errors(400, 404))
async def gallery(
    request: Request,
    caller: Reader,
    q: Annotated[str, Query(max_length=MAX_SEARCH_CHARS, description="Words of the prompt.")] = "",
    model: Annotated[str, Query(max_length=300)] = "",
    engine: Annotated[str, Query(max_length=300)] = "",
    mode: Literal["", "txt2img", "img2img", "inpaint", "upscale", "restyle"] = "",
    favorites: bool = False,
    collection: Annotated[str, Query(max_length=32)] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    sort: Literal["new", "old"] = "new",
    scope: Scope = "mine",
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
    cursor: Annotated[str, Query(max_length=20, description="`next` of the page before.")] = "",
) -> PicturesOut:
    """Your own pictures (`scope=all`: what others made in the open, too), narrowed down, page by page."""
    web = web_of(request)
    wanted = PictureFilter(
        text=q,
        model=model,
        engine=engine,
        mode=mode,
        favorites=favorites,
        collection=collection,
        since=since,
        until=until,
        oldest_first=sort == "old",
    )
    service, everybody = web.services.records.gallery, scope == "all"
    with missing("collection"):
        page = await service.history(caller, wanted, everybody=everybody, limit=limit, cursor=cursor)
    total = await service.count(caller, wanted, everybody=everybody)
    return PicturesOut(
        pictures=await pictures_out(web, caller, page.pictures),
        next=page.next_cursor,
        total=total.number,
        or_more=total.or_more,
    )


@router.get("/gallery/{picture_id}", responses=errors(404))
async def picture(request: Request, picture_id: PictureId, caller: Reader) -> PictureOut:
    """Show one picture and all that is known of it."""
    web = web_of(request)
    with missing("picture"):
        found = await web.services.records.gallery.picture(caller, picture_id)
    return (await pictures_out(web, caller, [found]))[0]


@router.delete("/gallery/{picture_id}", status_code=204, responses=errors(404))
async def delete(request: Request, picture_id: PictureId, caller: Maker) -> Response:
    """Delete your own picture, its file at once."""
    web = web_of(request)
    with missing("picture"):
        gone = await web.services.records.gallery.delete(caller, picture_id)
    job = await web.services.generation.find(gone.job_id)
    if job and job.result and len(job.result.images) == 1:
        web.hub.gone(job)
    return Response(status_code=204)


@router.get("/facets")
async def facets(request: Request, caller: Reader, scope: Scope = "mine") -> FacetsOut:
    """List the models and engines of one's pictures, the most used first."""
    found = await web_of(request).services.records.gallery.facets(caller, everybody=scope == "all")
    return FacetsOut(
        models=[FacetOut(name=name, count=count) for name, count in found.models],
        engines=[FacetOut(name=name, count=count) for name, count in found.engines],
    )


@router.put("/favorites/{picture_id}", status_code=204, responses=errors(404, 410, 429))
async def star(request: Request, picture_id: PictureId, caller: Maker) -> Response:
    """Make a picture a favourite: its file is kept."""
    service = web_of(request).services.records.gallery
    with missing("picture"):
        found = await service.picture(caller, picture_id)
    with missing("picture", Gone):
        await service.star(caller, found.id)
    return Response(status_code=204)


@router.delete("/favorites/{picture_id}", status_code=204, responses=errors(404))
async def unstar(request: Request, picture_id: PictureId, caller: Maker) -> Response:
    """Let a favourite go; its usual time begins again."""
    with missing("picture"):
        await web_of(request).services.records.gallery.unstar(caller, picture_id)
    return Response(status_code=204)


@router.get("/collections")
async def collections(request: Request, caller: Reader) -> CollectionsOut:
    """List your own collections by name."""
    web = web_of(request)
    found = await web.services.records.gallery.collections(caller)
    return CollectionsOut(collections=[await collection_out(web, caller, item) for item in found])


@router.post("/collections", status_code=201, responses=errors(400, 429))
async def create_collection(request: Request, body: CollectionIn, caller: Maker) -> CollectionOut:
    """Make a collection."""
    web = web_of(request)
    made = await web.services.records.gallery.create_collection(caller, body.name, body.description)
    return await collection_out(web, caller, made)


@router.patch("/collections/{collection_id}", responses=errors(400, 404))
async def change_collection(
    request: Request, collection_id: CollectionId, body: CollectionChangeIn, caller: Maker
) -> CollectionOut:
    """Give a collection another name or description."""
    web = web_of(request)
    with missing("collection"):
        changed = await web.services.records.gallery.change_collection(
            caller, collection_id, name=body.name, description=body.description
        )
    return await collection_out(web, caller, changed)


@router.delete("/collections/{collection_id}", status_code=204, responses=errors(404))
async def delete_collection(request: Request, collection_id: CollectionId, caller: Maker) -> Response:
    """Delete a collection; its pictures stay in the gallery."""
    with missing("collection"):
        await web_of(request).services.records.gallery.delete_collection(caller, collection_id)
    return Response(status_code=204)


@router.put("/collections/{collection_id}/pictures/{picture_id}", status_code=204, responses=errors(404, 410, 429))
async def add_picture(request: Request, collection_id: CollectionId, picture_id: PictureId, caller: Maker) -> Response:
    """Put a picture into a collection: its file is kept."""
    service = web_of(request).services.records.gallery
    with missing("collection"), missing("picture"):
        found = await service.picture(caller, picture_id)
        await service.collection(caller, collection_id)
    with missing("picture", Gone):
        await service.add_pictures(caller, collection_id, [found.id])
    return Response(status_code=204)


@router.delete("/collections/{collection_id}/pictures/{picture_id}", status_code=204, responses=errors(404))
async def remove_picture(
    request: Request, collection_id: CollectionId, picture_id: PictureId, caller: Maker
) -> Response:
    """Take a picture out of a collection."""
    with missing("collection"), missing("picture"):
        await web_of(request).services.records.gallery.remove_pictures(caller, collection_id, [picture_id])
    return Response(status_code=204)


@router.post("/archive", response_class=StreamingResponse, responses={200: ARCHIVE, **errors(400, 404, 410)})
async def archive(request: Request, body: ArchiveIn, caller: Reader) -> StreamingResponse:
    """Fetch many pictures as one ZIP file, each with its parameters."""
    web = web_of(request)
    with missing("picture"):
        pictures = [await web.services.records.gallery.picture(caller, fromkey) for fromkey in dict.fromkeys(body.ids)]
    now = web.services.clock.now()
    there = [picture for picture in pictures if picture.is_there(now)]
    if not there:
        raise Gone(_("These pictures have expired."), hint=_("Run their jobs again to draw them again."))
    size = sum(picture.size_bytes for picture in there)
    if size > MOST_ARCHIVE_BYTES:
        most = MOST_ARCHIVE_BYTES // 1024**2
        raise RequestRejected(
            _("These pictures have {size} MB together; the maximum is {most} MB.", size=size // 1024**2, most=most),
            field="ids",
        )
    headers = {"Content-Disposition": f'attachment; filename="easel-{len(pictures)}-pictures-{now:%Y%m%d}.zip"'}
    content = zipped(web.services.media, pictures, body.format.upper())
    return StreamingResponse(content, media_type="application/zip", headers=headers)
